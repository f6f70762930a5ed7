/**
 * @file Convolutions of pictures in 8 bits, forward and in the gradient: several times as fast as in float32 where a processor has
 * instructions for it. What lies between two of them stays in bytes. For most steps of a picture
 * (docs/decisions/22-steps-in-8-bits.md).
 */
import { sizeOf } from '../../tensor-spec.js';
import { type Graph, type GraphNode, madeBy, type Traced, type Value } from '../graph.js';
import { dependsOnWeightsAlone, reachable } from '../reachable.js';
import { rewrite } from '../rewrite.js';
import { roughConv } from './convolution.js';
import {
  gated,
  gateOf,
  liesSideBySide,
  roughMaxPool,
  roughPad,
  roughRelu,
  roughSlice,
  roughUnpool,
} from './nodes.js';
import { type Rough, roughened, smoothed } from './rough.js';

/** Multiplications below which a convolution stays in float32. */
const SMALLEST = 2 ** 24;

/** The least multiplications of a large convolution, and the least for each number that it reads or writes. */
const LARGE = 2 ** 28;
const DENSE = 128;

/** Multiplications of large convolutions that a graph must have, and their least share of those of all. */
const ENOUGH = 2 ** 32;
const SHARE = 0.8;

/**
 * Whether a graph takes half of the time or less in 8 bits, where the processor has instructions for it: large convolutions are
 * nearly all of its work, as in a VGG. In an Inception v3 what lies between the convolutions takes as long as they do.
 */
export function gainsInBytes({ outputs }: Traced): boolean {
  const values = Object.values(outputs);
  const convolutions = reachable(values).nodes.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose');
  const all = convolutions.reduce((sum, node) => sum + multiplications(node), 0);
  // Most graphs have no picture.
  if (all < ENOUGH) return false;
  const fixed = dependsOnWeightsAlone(values);
  const isLarge = (node: GraphNode) => {
    const numbers = sizeOf(node.inputs[0]!.shape) + sizeOf(node.outputs[0]!.shape);
    return multiplications(node) >= Math.max(LARGE, DENSE * numbers) && isWorth(node, fixed);
  };
  const large = convolutions.filter(isLarge).reduce((sum, node) => sum + multiplications(node), 0);
  return large >= Math.max(ENOUGH, SHARE * all);
}

/** Puts convolutions of bytes in the place of those whose filters depend on weights alone. */
export function quantizePictures(traced: Traced): Traced {
  const { graph, outputs } = traced;
  const fixed = dependsOnWeightsAlone(Object.values(outputs));
  const readers = readersOf(traced);
  /** The bytes behind values that were made of bytes. */
  const roughs = new Map<Value, Rough>();
  const known: Known = (x) => (x ? roughs.get(x) : undefined);
  const made = (rough: Rough | undefined): Value[] | undefined => {
    if (!rough) return undefined;
    const value = smoothed(graph, rough);
    roughs.set(value, rough);
    return [value];
  };
  return rewrite(traced, (node, inputs) => {
    const [x] = inputs as [Value];
    if (node.op === 'Conv') {
      if (!isWorth(node, fixed)) return undefined;
      const isPositive = readers.get(node.outputs[0]!)!.every((reader) => reader?.op === 'Relu');
      return made(roughConv(graph, node, known(x) ?? roughened(graph, x), isPositive ? 0 : 128));
    }
    if (node.op === 'Mul') return made(gatedProduct(graph, inputs as Value[], known));
    if (node.op === 'MaxUnpool') return made(unpooled(graph, inputs as Value[], known));
    const rough = known(x);
    if (!rough) return undefined;
    if (node.op === 'Relu') return made(roughRelu(graph, rough));
    if (node.op === 'Slice') return made(roughSlice(graph, node, rough));
    if (node.op === 'Pad') return made(roughPad(graph, node, rough));
    if (node.op !== 'MaxPool') return undefined;
    const positions = graph.nodes(node.op, inputs, node.outputs, node.attributes)[1]!;
    return [...made(roughMaxPool(graph, node, rough))!, positions];
  });
}

type Known = (x: Value | null | undefined) => Rough | undefined;

function gatedProduct(graph: Graph, inputs: readonly Value[], known: Known): Rough | undefined {
  const found = gateOf(inputs);
  const [x, gate] = [known(found?.x), known(found?.gate)];
  return x && gate && gated(graph, x, gate);
}

function unpooled(graph: Graph, [dy, positions]: readonly Value[], known: Known): Rough | undefined {
  const pool = madeBy(positions!, 'MaxPool');
  const x = known(pool?.inputs[0]);
  if (!pool || !x || !liesSideBySide(pool)) return undefined;
  return roughUnpool(graph, pool, known(dy) ?? roughened(graph, dy!), x);
}

/** Nodes that read a value; null for the function's results. */
function readersOf({ outputs }: Traced): Map<Value, (GraphNode | null)[]> {
  const readers = new Map<Value, (GraphNode | null)[]>();
  const add = (value: Value, reader: GraphNode | null) =>
    readers.set(value, [...(readers.get(value) ?? []), reader]);
  for (const node of reachable(Object.values(outputs)).nodes)
    for (const input of node.inputs) if (input) add(input, node);
  for (const value of Object.values(outputs)) add(value, null);
  return readers;
}

function isWorth(node: GraphNode, fixed: ReadonlySet<Value>): boolean {
  const { op, inputs, attributes } = node;
  const [, weights, bias] = inputs as [Value, Value, Value | undefined];
  const isPlain = op === 'Conv' && attributes.group === 1 && `${attributes.dilations}` === '1,1';
  return isPlain && multiplications(node) >= SMALLEST && fixed.has(weights) && (!bias || fixed.has(bias));
}

/** Of a convolution, each output with the filter's part of it; of a transposed one, each input. */
const multiplications = ({ op, inputs, outputs }: GraphNode): number =>
  sizeOf((op === 'Conv' ? outputs[0]! : inputs[0]!).shape) * sizeOf(inputs[1]!.shape.slice(1));
