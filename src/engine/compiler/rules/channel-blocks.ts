/**
 * @file Convolutions whose filters are trained, in ONNX Runtime's layout of channels in blocks (NCHWc). ONNX Runtime lays out only
 * constant filters so by itself. Its operators for that are its own: `channelBlock` says where they are known to be right.
 */
import type { Attributes, Graph, Value } from '../graph.js';
import type { Shape4 } from './layout.js';
import { isTrained } from './patches.js';

/** Whether a convolution can be computed with channels in blocks. @param filter - as it is fed, [height, width, channel, out channel] */
export function isInBlocks({ traits: { channelBlock } }: Graph, filter: Value): boolean {
  const [, , channels, outChannels] = filter.shape as Shape4;
  return (
    isTrained(filter) && channelBlock > 0 && channels % channelBlock === 0 && outChannels % channelBlock === 0
  );
}

/** @param filter - [height, width, channel, out channel] @returns [out channel, channel, height, width], read by blocks of both kinds of channels */
function filterInBlocks(graph: Graph, filter: Value): Value {
  const [height, width, channels, outChannels] = filter.shape as Shape4;
  const block = graph.traits.channelBlock;
  const blocks = graph.reshape(filter, [height, width, channels / block, block, outChannels / block, block]);
  return graph.reshape(graph.transpose(blocks, [4, 2, 0, 1, 3, 5]), [outChannels, channels, height, width]);
}

/**
 * @param x - [batch, channel, height, width]
 * @param filter - [height, width, channel, out channel]
 * @returns [batch, out channel, out height, out width]
 */
export function convInBlocks(
  graph: Graph,
  x: Value,
  filter: Value,
  shape: readonly number[],
  attributes: Attributes,
): Value {
  const inner = graph.node('ReorderInput', [x], x.shape, x.dtype);
  const y = graph.node('NchwcConv', [inner, filterInBlocks(graph, filter)], shape, x.dtype, attributes);
  return graph.node('ReorderOutput', [y], shape, x.dtype, { channels: shape[1]! });
}
