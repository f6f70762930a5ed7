/**
 * @file Computing some nodes of a graph, and nothing else.
 *
 * Backwards from what is wanted, the plan says which nodes are needed and which of their channels; forwards, each is
 * computed with only those: a convolution of which one channel is wanted runs one filter.
 */
import type { Tensor } from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { checkArray } from '../limits.js';
import { type Channels, takeChannels, unionChannels } from './channels.js';
import { type LayerGraph, naming, nodeLabel } from './graph.js';
import { type AffineOp, channelCount, type Shape } from './op.js';
import type { Param } from './params.js';
import { ruleOf } from './rules/index.js';

/** What to compute: a node and the channels of it, in the order wanted; all when left out. */
export interface Request {
  readonly node: number;
  readonly channels?: readonly number[];
}

interface Plan {
  /** By node: its demanded channels. Absent: not needed. */
  readonly demanded: ReadonlyMap<number, { readonly channels: Channels }>;
  /** Batch normalizations folded into the layer before: the last of a chain, with the layer and the chain. */
  readonly folds: ReadonlyMap<number, { readonly into: number; readonly chain: readonly AffineOp[] }>;
}

/** Output shapes of every node up to `last` that `needed` holds, for pictures of `image`. Throws UserError when too small. */
export function graphShapes(
  graph: LayerGraph,
  image: Shape,
  needed: (node: number) => boolean = () => true,
): Map<number, Shape> {
  const shapes = new Map<number, Shape>([[0, image]]);
  graph.nodes.forEach(({ op, inputs }, node) => {
    if (node === 0 || !needed(node)) return;
    naming(
      () => nodeLabel(graph, node),
      () => {
        const shape = ruleOf(op).shape(
          op,
          inputs.map((input) => shapes.get(input)!),
        );
        checkArray(shape, image[0]);
        shapes.set(node, shape);
      },
    );
  });
  return shapes;
}

/** Everything the requests depend on. */
export function ancestors(graph: LayerGraph, requests: readonly Request[]): Set<number> {
  const found = new Set<number>();
  const open = requests.map(({ node }) => node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const input of graph.nodes[node]!.inputs) open.push(input);
  }
  return found;
}

function makePlan(graph: LayerGraph, requests: readonly Request[], shapes: ReadonlyMap<number, Shape>): Plan {
  const demanded = new Map<number, { channels: Channels }>();
  const readers = new Map<number, number>();
  const demand = (node: number, channels: Channels): void => {
    const known = demanded.get(node);
    const union = known ? unionChannels(known.channels, channels) : unionChannels(channels, channels);
    const all = union && union.length === channelCount(shapes.get(node)!);
    demanded.set(node, { channels: all ? undefined : union });
    readers.set(node, (readers.get(node) ?? 0) + 1);
  };
  for (const { node, channels } of requests) demand(node, channels);
  const folds = new Map<number, { into: number; chain: readonly AffineOp[] }>();
  for (let node = graph.nodes.length - 1; node >= 0; node--) {
    const here = demanded.get(node);
    if (!here) continue;
    inputDemands(graph, node, here.channels, shapes).forEach((channels, i) => {
      if (channels?.length !== 0) demand(graph.nodes[node]!.inputs[i]!, channels);
    });
  }
  for (const node of [...demanded.keys()].sort((a, b) => a - b)) {
    const { op, inputs } = graph.nodes[node]!;
    const before = inputs[0];
    if (op.kind !== 'affine' || before === undefined || readers.get(before) !== 1) continue;
    const chain = folds.get(before);
    const kind = graph.nodes[before]!.op.kind;
    if (chain) {
      folds.delete(before);
      folds.set(node, { into: chain.into, chain: [...chain.chain, op] });
    } else if (kind === 'conv' || kind === 'dense') {
      folds.set(node, { into: before, chain: [op] });
    }
  }
  return { demanded, folds };
}

/** A parameter, and which entries of its last axis are used; all where undefined. */
export interface UsedParam {
  readonly param: Param;
  readonly channels: Channels;
}

/** The parameters that the requests are computed with, for pictures of `image`. */
export function usedParams(graph: LayerGraph, image: Shape, requests: readonly Request[]): UsedParam[] {
  const needed = ancestors(graph, requests);
  const shapes = graphShapes(graph, image, (node) => needed.has(node));
  return [...makePlan(graph, requests, shapes).demanded].flatMap(([node, { channels }]) => {
    const { op } = graph.nodes[node]!;
    const params = Object.values(op).filter((setting): setting is Param => Array.isArray(setting?.steps));
    const chosen = ruleOf(op).demand ? channels : undefined;
    return params.map((param) => ({
      param,
      channels: channelCount(param.shape) === 1 ? undefined : chosen,
    }));
  });
}

/** What a node asks of each of its inputs: channels, all (undefined) or nothing ([]). */
function inputDemands(
  graph: LayerGraph,
  node: number,
  channels: Channels,
  shapes: ReadonlyMap<number, Shape>,
): readonly Channels[] {
  const { op, inputs } = graph.nodes[node]!;
  const rule = ruleOf(op);
  if (!channels || !rule.demand) return inputs.map(() => undefined);
  return rule.demand(
    op,
    channels,
    inputs.map((input) => shapes.get(input)!),
  );
}

/** The channels `wanted` out of an array that holds the channels `held`. */
function choose(x: Tensor, wanted: Channels, held: Channels): Tensor {
  if (!wanted) return x;
  if (!held) return takeChannels(x, wanted);
  const position = new Map(held.map((channel, i) => [channel, i]));
  return takeChannels(
    x,
    wanted.map((channel) => position.get(channel)!),
  );
}

/**
 * The requested activations of `image` [batch, height, width, channel], in the order of the requests.
 * Pure tfjs ops, so differentiable and traceable. Throws UserError when the image is too small for a needed layer.
 */
export function evaluate(
  graph: LayerGraph,
  weights: WeightLookup,
  image: Tensor,
  requests: readonly Request[],
): Tensor[] {
  const needed = ancestors(graph, requests);
  const shapes = graphShapes(graph, image.shape, (node) => needed.has(node));
  const { demanded, folds } = makePlan(graph, requests, shapes);
  const foldedAway = new Set<number>();
  for (const [last, { into }] of folds) {
    for (let node = graph.nodes[last]!.inputs[0]!; ; node = graph.nodes[node]!.inputs[0]!) {
      foldedAway.add(node);
      if (node === into) break;
    }
  }
  const values = new Map<number, Tensor>([[0, image]]);
  for (const node of [...demanded.keys()].sort((a, b) => a - b)) {
    if (node === 0 || foldedAway.has(node)) continue;
    const { channels } = demanded.get(node)!;
    const fold = folds.get(node);
    const at = fold?.into ?? node;
    const { op, inputs } = graph.nodes[at]!;
    const rule = ruleOf(op);
    const demands = inputDemands(graph, at, channels, shapes);
    const arguments_ = inputs.map((input, i) =>
      demands[i]?.length === 0 ? null : choose(values.get(input)!, demands[i], demanded.get(input)!.channels),
    );
    const y = rule.run(op, arguments_, {
      weights,
      channels: rule.demand ? channels : undefined,
      shapes: inputs.map((input) => shapes.get(input)!),
      folded: fold?.chain ?? [],
    });
    values.set(node, rule.demand ? y : choose(y, channels, undefined));
  }
  return requests.map(({ node, channels }) =>
    choose(values.get(node)!, channels, node === 0 ? undefined : demanded.get(node)!.channels),
  );
}
