/** @file A TensorFlow graph as TensorFlow.js keeps it (`model.json` of a GraphModel): nodes keep their names. */

import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { own } from '../../core/own.js';
import { clipped } from '../../core/visible.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { GraphBuilder } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { checkCount, limits, shown } from '../limits.js';
import { VisionNetwork } from '../network.js';
import { FoldedWeights } from './folded-weights.js';
import { type ForeignNode, importNodes } from './foreign-graph.js';
import { Importer } from './importer.js';
import { type ImageInput, inputRange, knownInput, USUAL_OF_TENSORFLOW } from './known-inputs.js';
import { withSinglePictures } from './single-picture.js';
import { nodeSchema, TfCall, type TfNode, type TfRule } from './tf-ops/context.js';
import { tfElementwise } from './tf-ops/elementwise.js';
import { layers } from './tf-ops/layers.js';
import { tfLayout } from './tf-ops/layout.js';
import { type ForeignValue, mostNumbers, numbersValue, weightValue } from './values.js';

/** `modelTopology` of a GraphModel. */
export const graphTopologySchema = z.object({ node: z.array(nodeSchema).max(limits.nodes) });
export type GraphModelTopology = z.infer<typeof graphTopologySchema>;

const tfOps: Readonly<Record<string, TfRule>> = { ...layers, ...tfElementwise, ...tfLayout };

/** `node:1` is a node's second output; `^node` only an order of running. */
const valueName = (input: string): string => input.replace(/:0$/, '');

/**
 * Rebuilds a GraphModel. Layers are called what the graph calls its nodes (`StatefulPartitionedCall/vgg16/block1_conv1/Relu`)
 * and also by the parts of that (`block1_conv1`).
 *
 * @param size - height and width where the graph leaves them open
 * @throws UserError for a graph that does not read one image or starts with an operation that is not supported; one
 *   further on makes what lies behind it unreachable
 */
export function graphModelNetwork(
  topology: GraphModelTopology,
  weights: WeightSource & { isInteger(name: string): boolean },
  name: string,
  size = 224,
): VisionNetwork {
  const given = inOrder(topology.node);
  const image = imageInput(given, name, size);
  const all = withSinglePictures(given, image.name, (constant) => oneNumber(weights, constant));
  const graph = new GraphBuilder([image.height, image.width, image.channels]);
  const folded = new FoldedWeights(weights);
  const importer = new Importer(graph, folded);
  const picture = image.channelsFirst ? importer.image(graph.input) : importer.plain(graph.input);
  const values = new Map<string, ForeignValue>([[image.name, picture]]);
  const stored = new Set(weights.names);
  for (const node of all.filter(({ op }) => op === 'Const')) {
    if (!stored.has(node.name))
      throw new UserError(`${name} lacks the weight "${node.name}": fetch the whole model`);
    const constant = param(weights, node.name);
    const integer = weights.isInteger(node.name);
    // So many integers are no sizes or axes.
    const settings = integer && sizeOf(constant.shape) <= mostNumbers;
    values.set(
      node.name,
      settings
        ? numbersValue(Array.from(weights.read(node.name)), constant.shape)
        : weightValue(constant, integer),
    );
  }
  const outputsOf = outputCounts(all);
  const nodes = all
    .filter(({ op }) => op !== 'Const' && op !== 'Placeholder' && op !== 'NoOp')
    .map((node): ForeignNode => {
      const inputs = (node.input ?? []).filter((input) => !input.startsWith('^')).map(valueName);
      return {
        label: node.name,
        kind: node.op,
        inputs,
        outputs: Array.from({ length: outputsOf.get(node.name) ?? 1 }, (_, i) =>
          i === 0 ? node.name : `${node.name}:${i}`,
        ),
        translate: (read) => ruleOf(node)(new TfCall(importer, node, read as ForeignValue[])),
      };
    });
  const unreachable = importNodes(importer, nodes, values, name);
  addAliases(graph, nodes, unreachable);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map((input) => input.replace(/:\d+$/, ''))));
  const built = graph.build();
  return new VisionNetwork({
    name,
    graph: built,
    weights: folded,
    unreachable,
    outputs: nodes.map(({ label }) => label).filter((label) => !read.has(label)),
    input: {
      height: image.height,
      width: image.width,
      channels: image.channels,
      usualRange: USUAL_OF_TENSORFLOW,
      ...inputRange({
        graph: built,
        weights: folded,
        ...image,
        known: knownInput(new Set(built.aliases.keys())),
        isCertain: false,
      }),
    },
  });
}

function oneNumber(weights: WeightSource, name: string): number | null {
  if (!weights.names.includes(name) || sizeOf(weights.shape(name)) !== 1) return null;
  return weights.read(name)[0]!;
}

function ruleOf({ op }: TfNode): TfRule {
  const rule = own(tfOps, op);
  if (!rule)
    throw new UserError(
      `the operation ${clipped(op)} is not supported: convert the network without it, or as ONNX`,
    );
  return rule;
}

/** How many outputs of each node are read, as `node:1` names the second. */
function outputCounts(nodes: readonly TfNode[]): Map<string, number> {
  const counts = new Map<string, number>();
  let total = nodes.length;
  for (const input of nodes.flatMap((node) => node.input ?? [])) {
    const [, name = input, output = '0'] = /^(.*):(\d{1,9})$/.exec(input) ?? [];
    const before = counts.get(name) ?? 1;
    const count = Math.max(before, Number(output) + 1);
    total += count - before;
    checkCount(total, limits.nodes, 'outputs of nodes');
    counts.set(name, count);
  }
  return counts;
}

/** The nodes, each after those it reads, but for what a loop gives back: files keep them in any order. */
function inOrder(nodes: readonly TfNode[]): TfNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const ordered = new Set<TfNode>();
  /** Nodes that wait for what they read, with how many of their inputs are done. */
  const open: { readonly node: TfNode; next: number }[] = [];
  const waiting = new Set<TfNode>();
  const enter = (node: TfNode): void => {
    waiting.add(node);
    open.push({ node, next: 0 });
  };
  for (const start of nodes) {
    if (!ordered.has(start)) enter(start);
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { node } = top;
      const input = node.input?.[top.next++];
      if (input === undefined) {
        ordered.add(node);
        waiting.delete(node);
        open.pop();
        continue;
      }
      const before = byName.get(input.replace(/^\^/, '').replace(/:\d+$/, ''));
      if (before && !ordered.has(before) && !waiting.has(before)) enter(before);
    }
  }
  return [...ordered];
}

function imageInput(nodes: readonly TfNode[], file: string, size: number): ImageInput {
  const inputs = nodes.filter(({ op }) => op === 'Placeholder');
  const dims = (node: TfNode | undefined): number[] =>
    (node?.attr?.shape?.shape?.dim ?? []).map((dim) => Number(dim.size ?? -1));
  const [input] = inputs;
  const [, second = -1, third = -1, fourth = -1] = dims(input);
  // Channels come last in TensorFlow, unless the network was converted from elsewhere.
  const channelsFirst = second >= 1 && second <= 4 && !(fourth >= 1 && fourth <= 4);
  const [height, width, channels] = channelsFirst ? [third, fourth, second] : [second, third, fourth];
  if (inputs.length !== 1 || dims(input).length !== 4 || channels < 1) {
    const found = inputs
      .slice(0, 8)
      .map((node) => `${node.name} [${shown(dims(node))}]`)
      .join(', ');
    throw new UserError(
      `${file} must read one image [batch, height, width, channel], not ${found || 'nothing'}`,
    );
  }
  return {
    name: input!.name,
    height: height > 0 ? height : size,
    width: width > 0 ? width : size,
    channels,
    channelsFirst,
    isInteger: /INT/.test(String(input!.attr?.dtype?.type ?? '')),
  };
}

/** The last node of a scope stands for the scope; Keras 3 writes `block1_conv1_1` for `block1_conv1`. */
function addAliases(
  graph: GraphBuilder,
  nodes: readonly ForeignNode[],
  unreachable: ReadonlyMap<string, string>,
): void {
  const known = nodes.filter(({ label }) => graph.hasLayer(label) || unreachable.has(label)).reverse();
  for (const suffix of [/$/, /_1$/]) {
    for (const { label } of known) {
      const scopes = label.split('/').slice(0, -1);
      checkCount(scopes.length, limits.scopes, `parts of the name "${clipped(label)}"`);
      for (const scope of scopes) graph.alias(scope.replace(suffix, ''), label);
    }
  }
}
