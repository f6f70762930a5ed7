/**
 * @file A graph made ready to run: its ONNX model, what to feed it, and what to compute beforehand.
 *
 * Weights are fed as inputs, so that one array in memory serves every program. What depends on weights alone
 * (a transposed filter, a folded batch norm) is taken out into a second model, run once for a set of weights
 * and cached under a key that describes the computation. Where asked, filters and matrices in 8 bits become constants of
 * the model instead, which ONNX Runtime lays out anew: filters in blocks of channels, matrices for its products.
 */
import { type DType, sizeOf, type TypedArray } from '../tensor-spec.js';
import type { HalfType } from '../weights/weights.js';
import { blockGemm } from './block-gemm.js';
import { type Feed, type Feeding, feedOf, leafFeed, namesOfFilters, packable, uniqueFeeds } from './feeds.js';
import {
  type Attribute,
  bytesOf,
  type GraphNode,
  ONNX_TYPE,
  type Traced,
  type Value,
  withoutReshape,
} from './graph.js';
import { BIT_CAST_OPSET, FED_TYPE, isHalf, widened } from './half-weights.js';
import {
  attributeTypes,
  encodeModel,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-proto.js';
import { opTable } from './op-table.js';
import { dependsOnWeightsAlone } from './reachable.js';

export interface ProgramOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface Program {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  /** To be written into the model as constants before it is loaded (`withConstants`). */
  readonly constants: readonly Feed[];
  readonly outputs: readonly ProgramOutput[];
  /** Computes the derived values; its outputs are named by their keys. */
  readonly derivation?: {
    readonly model: Uint8Array;
    readonly feeds: readonly Feed[];
    readonly outputs: readonly ProgramOutput[];
  };
}

/** Whether a program is fed with weights in half precision. */
export const widensHalves = ({ feeds }: Pick<Program, 'feeds'>): boolean => halvesIn(feeds).size > 0;

/** The weights that are fed in half precision; what is derived in it is computed with as it is. */
const halvesIn = (feeds: readonly Feed[]): Map<string, HalfType> =>
  new Map(
    feeds.flatMap(({ kind, name, dtype }) =>
      kind === 'weight' && isHalf(dtype) ? [[name, dtype] as const] : [],
    ),
  );

/** Names of the weights that a program is fed with, has as constants or derives something from. */
export function weightsOf({ feeds, constants, derivation }: Program): string[] {
  const all = [...feeds, ...constants, ...(derivation?.feeds ?? [])];
  return [...new Set(all.flatMap((feed) => (feed.kind === 'weight' ? [feed.weight] : [])))];
}

export const OPSET = 23;
export const IR_VERSION = 11;

/** Where nothing else is said, all weights are fed as float32, and parts of them are computed. */
interface BuildOptions extends Partial<Feeding> {
  /** Whether filters and matrices in 8 bits are constants. */
  readonly packs?: boolean | undefined;
}

export function buildProgram(
  traced: Traced,
  { packs = false, weightType = () => 'float32', views = false }: BuildOptions = {},
): Program {
  const feeding = { weightType, views };
  const named = Object.entries(traced.outputs);
  const outputs = Object.values(traced.outputs);
  const fixed = dependsOnWeightsAlone(outputs);
  const feeds = new Map<Value, Feed>();
  const derived = new Map<string, Value>();

  // Stops at what can be fed and goes through the rest.
  const body = cut(outputs, (value) => {
    const feed = feedOf(value, fixed, feeding);
    if (!feed) return false;
    feeds.set(value, feed);
    if (feed.kind === 'derived') derived.set(feed.key, withoutReshape(value));
    return true;
  });
  const all = uniqueFeeds(feeds);
  const constants = packs ? packable(all, namesOfFilters(body.nodes, feeds)) : [];
  const fed = all.filter((feed) => !constants.includes(feed));
  const model = writeModel(body, feeds, fed, named);
  const program = { model, feeds: fed, constants, outputs: describe(named) };
  if (derived.size === 0) return program;

  const derivationFeeds = new Map<Value, Feed>();
  const roots = [...derived.values()];
  const derivationBody = cut(roots, (value) => {
    const feed = leafFeed(value, feeding);
    if (feed) derivationFeeds.set(value, feed);
    return feed !== undefined;
  });
  const keyed = [...derived.entries()];
  const derivedFrom = uniqueFeeds(derivationFeeds);
  const derivation = {
    model: writeModel(derivationBody, derivationFeeds, derivedFrom, keyed),
    feeds: derivedFrom,
    outputs: describe(keyed),
  };
  return { ...program, derivation };
}

// -- writing ONNX ----------------------------------------------------------------------------------------------

/** Nodes and constants needed for the outputs, not looking behind values for which `stop` is true. */
function cut(
  outputs: readonly Value[],
  stop: (value: Value) => boolean,
): { nodes: GraphNode[]; constants: Value[]; used: Set<Value> } {
  const used = new Set<Value>();
  const nodes = new Set<GraphNode>();
  const constants: Value[] = [];
  const stack = [...outputs];
  while (stack.length > 0) {
    const value = stack.pop()!;
    if (used.has(value)) continue;
    used.add(value);
    if (stop(value)) continue;
    const { source } = value;
    if (source.kind === 'node') {
      nodes.add(source.node);
      for (const input of source.node.inputs) if (input) stack.push(input);
    } else constants.push(value);
  }
  // Ids grow in order of creation, which is an order of computation.
  return { nodes: [...nodes].sort((a, b) => a.outputs[0]!.id - b.outputs[0]!.id), constants, used };
}

function describe(named: readonly [string, Value][]): ProgramOutput[] {
  return named.map(([name, { shape, dtype }]) => ({ name, shape, dtype: dtype as DType }));
}

function writeModel(
  { nodes, constants, used }: ReturnType<typeof cut>,
  feeds: ReadonlyMap<Value, Feed>,
  inputs: readonly Feed[],
  outputs: readonly [string, Value][],
): Uint8Array {
  /** Outputs that are a node's own: an Identity would copy them, and all copies would be made at the end. */
  const ownNames = new Map<Value, string>();
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  for (const [name, value] of outputs)
    if (made.has(value) && !feeds.has(value) && !ownNames.has(value)) ownNames.set(value, name);
  const nameOf = (value: Value) => feeds.get(value)?.name ?? ownNames.get(value) ?? `#${value.id}`;
  const valueInfo = (name: string, { shape, dtype }: { shape: readonly number[]; dtype: Feed['dtype'] }) => ({
    name,
    type: {
      tensorType: { elemType: FED_TYPE[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
    },
  });
  // An output may be an input or appear twice; ONNX wants each output to be a node's own.
  const copies = outputs.flatMap(([name, value]): OnnxNode[] =>
    nameOf(value) === name ? [] : [{ opType: 'Identity', input: [nameOf(value)], output: [name] }],
  );
  const halves = halvesIn(inputs);
  const written = nodes.map((node): OnnxNode => {
    const attribute = Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value));
    if (node.op === 'BlockGemm') return blockGemm(node, nameOf, attribute);
    return {
      opType: opTable[node.op].onnxName ?? node.op,
      domain: opTable[node.op].domain ?? '',
      input: node.inputs.map((input) => (input ? nameOf(input) : '')),
      output: usedOutputs(node, used).map(nameOf),
      attribute,
    };
  });
  // Not each of them is known on every processor.
  const ownDomains = new Set(nodes.flatMap(({ op }) => opTable[op].domain ?? []));
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'superstimulus',
    opsetImport: [
      { domain: '', version: halves.size > 0 ? BIT_CAST_OPSET : OPSET },
      ...[...ownDomains].map((domain) => ({ domain, version: 1 })),
    ],
    graph: {
      name: 'traced',
      node: widened([...written, ...copies], halves),
      initializer: constants.map((value) => writeConstant(nameOf(value), value)),
      input: inputs.map((feed) => valueInfo(feed.name, feed)),
      output: outputs.map(([name, value]) => valueInfo(name, value)),
      valueInfo: nodes
        .filter(({ op }) => opTable[op].shapeUnseen)
        .map(({ outputs: [value] }) => valueInfo(nameOf(value!), value!)),
    },
  });
}

/** A program's model with its constants, given what they hold. */
export function withConstants(
  { model, constants }: Program,
  dataOf: (feed: Feed) => ArrayBufferView,
): Uint8Array {
  if (constants.length === 0) return model;
  const initializer = constants.map((feed): OnnxTensor => {
    const rawData = bytesOf(dataOf(feed));
    return { name: feed.name, dims: [...feed.shape], dataType: FED_TYPE[feed.dtype], rawData };
  });
  // Protocol buffers that follow each other are one message: lists in it are joined.
  return Buffer.concat([model, encodeModel({ graph: { initializer } })]);
}

/** Trailing outputs nobody reads are left out, so that they are not computed (the indices of a max pool). */
function usedOutputs(node: GraphNode, used: ReadonlySet<Value>): Value[] {
  if (opTable[node.op].wholeOutputs) return node.outputs;
  const last = node.outputs.findLastIndex((output) => used.has(output));
  return node.outputs.slice(0, last + 1);
}

function writeAttribute(name: string, value: Attribute): OnnxAttribute {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value };
  if (typeof value === 'string')
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if ('f' in value) return { name, type: attributeTypes.float, f: value.f };
  return { name, type: attributeTypes.ints, ints: [...value] };
}

function writeConstant(name: string, { source, shape, dtype }: Value): OnnxTensor {
  if (source.kind !== 'constant' && source.kind !== 'splat') throw new Error(`${name} is not a constant`);
  const data = source.kind === 'constant' ? source.data : filled(dtype, sizeOf(shape), source.value);
  return { name, dims: [...shape], dataType: ONNX_TYPE[dtype], rawData: bytesOf(data) };
}

function filled(dtype: Value['dtype'], size: number, value: number): TypedArray | BigInt64Array {
  if (dtype === 'int64') return new BigInt64Array(size).fill(BigInt(value));
  return (
    dtype === 'float32'
      ? new Float32Array(size)
      : dtype === 'int32'
        ? new Int32Array(size)
        : new Uint8Array(size)
  ).fill(value);
}
