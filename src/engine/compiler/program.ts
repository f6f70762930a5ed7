/**
 * @file A graph made ready to run: its ONNX model, what to feed it, and what to compute beforehand.
 *
 * Weights are fed as inputs, so that one array in memory serves every program. What depends on weights alone
 * (a transposed filter, a folded batch norm) is taken out into a second model, run once for a set of weights
 * and cached under a key that describes the computation. Where asked, matrices in 8 bits become constants of the model
 * instead, which ONNX Runtime lays out anew for its products.
 */
import { createHash } from 'node:crypto';
import { type DType, type GraphDType, sizeOf, type TypedArray } from '../tensor-spec.js';
import {
  type Attribute,
  bytesOf,
  contentHash,
  type GraphNode,
  ONNX_TYPE,
  type Traced,
  type Value,
  withoutReshape,
} from './graph.js';
import { BIT_CAST_OPSET, FED_TYPE, isHalf, type WeightType, widened } from './half-weights.js';
import {
  attributeTypes,
  encodeModel,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-proto.js';
import { opTable } from './op-table.js';
import { dependsOnWeightsAlone } from './reachable.js';

/** One input of an ONNX model: the caller's, a weight, or a value derived from weights. */
export type Feed = {
  readonly name: string;
  readonly shape: readonly number[];
} & (
  | { readonly kind: 'input'; readonly dtype: DType }
  | { readonly kind: 'weight'; readonly dtype: WeightType; readonly weight: string }
  | { readonly kind: 'derived'; readonly dtype: GraphDType; readonly key: string }
);

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
export const widensHalves = ({ feeds }: Pick<Program, 'feeds'>): boolean =>
  feeds.some(({ dtype }) => isHalf(dtype));

/** Names of the weights that a program is fed with or derives something from. */
export function weightsOf({ feeds, derivation }: Program): string[] {
  const all = [...feeds, ...(derivation?.feeds ?? [])];
  return [...new Set(all.flatMap((feed) => (feed.kind === 'weight' ? [feed.weight] : [])))];
}

/** Bytes of matrices in 8 bits that a model holds as constants at most: ONNX Runtime takes no model of 2 GiB. */
const MOST_CONSTANTS = 2 ** 30;

export const OPSET = 23;
export const IR_VERSION = 11;

interface BuildOptions {
  /** Whether matrices in 8 bits are constants. */
  readonly packs?: boolean | undefined;
  /** In which type a weight is fed; all are float32 unless told otherwise. */
  readonly weightType?: (name: string) => WeightType;
}

export function buildProgram(
  traced: Traced,
  { packs = false, weightType = () => 'float32' }: BuildOptions = {},
): Program {
  const named = Object.entries(traced.outputs);
  const outputs = Object.values(traced.outputs);
  const fixed = dependsOnWeightsAlone(outputs);
  const feeds = new Map<Value, Feed>();
  const derived = new Map<string, Value>();

  // Stops at what can be fed and goes through the rest.
  const body = cut(outputs, (value) => {
    const feed = feedOf(value, fixed, weightType);
    if (!feed) return false;
    feeds.set(value, feed);
    if (feed.kind === 'derived') derived.set(feed.key, withoutReshape(value));
    return true;
  });
  const all = uniqueFeeds(feeds);
  const isMatrix = ({ kind, dtype }: Feed) => kind === 'derived' && dtype === 'int8';
  const bytes = all.filter(isMatrix).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const isConstant = (feed: Feed) => packs && bytes <= MOST_CONSTANTS && isMatrix(feed);
  const constants = all.filter(isConstant);
  const fed = all.filter((feed) => !isConstant(feed));
  const model = writeModel(body, feeds, fed, named);
  const program = { model, feeds: fed, constants, outputs: describe(named) };
  if (derived.size === 0) return program;

  const derivationFeeds = new Map<Value, Feed>();
  const roots = [...derived.values()];
  const derivationBody = cut(roots, (value) => {
    if (value.source.kind !== 'weight') return false;
    derivationFeeds.set(value, leafFeed(value, weightType)!);
    return true;
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

// -- what is fed -----------------------------------------------------------------------------------------------

type TypeOf = (weight: string) => WeightType;

function leafFeed({ source, shape, dtype }: Value, typeOf: TypeOf): Feed | undefined {
  if (source.kind === 'input')
    return { name: `input:${source.name}`, shape, dtype: dtype as DType, kind: 'input' };
  if (source.kind !== 'weight') return undefined;
  const weight = source.name;
  return { name: `weight:${weight}`, shape, dtype: typeOf(weight), kind: 'weight', weight };
}

function feedOf(value: Value, fixed: ReadonlySet<Value>, typeOf: TypeOf): Feed | undefined {
  const leaf = leafFeed(value, typeOf);
  if (leaf || !fixed.has(value)) return leaf;
  const base = withoutReshape(value);
  const { shape } = value;
  if (base.source.kind === 'weight') {
    const weight = base.source.name;
    return { name: `weight:${weight}[${shape}]`, shape, dtype: typeOf(weight), kind: 'weight', weight };
  }
  const key = structuralKey(base);
  return { name: `derived:${key}[${shape}]`, shape, dtype: value.dtype, kind: 'derived', key };
}

/** A name for a computation on weights: the same for the same computation in another graph. */
function structuralKey(value: Value, known = new Map<Value, string>()): string {
  const found = known.get(value);
  if (found) return found;
  const { source } = value;
  let text: string;
  if (source.kind === 'node') {
    const inputs = source.node.inputs.map((input) => (input ? structuralKey(input, known) : '-'));
    text = `${source.node.op} ${source.index} ${JSON.stringify(source.node.attributes)} ${inputs}`;
  } else if (source.kind === 'constant') {
    text = `constant ${value.dtype} ${value.shape} ${contentHash(source.data)}`;
  } else {
    text = `${JSON.stringify(source)} ${value.dtype} ${value.shape}`;
  }
  const key = createHash('sha1').update(text).digest('hex').slice(0, 20);
  known.set(value, key);
  return key;
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

function uniqueFeeds(feeds: ReadonlyMap<Value, Feed>): Feed[] {
  return [...new Map([...feeds.values()].map((feed) => [feed.name, feed])).values()];
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
  const nameOf = (value: Value) => feeds.get(value)?.name ?? `#${value.id}`;
  const valueInfo = (name: string, { shape, dtype }: { shape: readonly number[]; dtype: Feed['dtype'] }) => ({
    name,
    type: {
      tensorType: { elemType: FED_TYPE[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
    },
  });
  // An output may be an input or appear twice; ONNX wants each output to be a node's own.
  const copies: OnnxNode[] = outputs.map(([name, value]) => ({
    opType: 'Identity',
    input: [nameOf(value)],
    output: [name],
  }));
  const halves = new Map(
    inputs.flatMap(({ name, dtype }) => (isHalf(dtype) ? [[name, dtype] as const] : [])),
  );
  const written = nodes.map((node) => ({
    opType: node.op,
    domain: opTable[node.op].domain ?? '',
    input: node.inputs.map((input) => (input ? nameOf(input) : '')),
    output: usedOutputs(node, used).map(nameOf),
    attribute: Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value)),
  }));
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'superstimulus',
    opsetImport: [
      { domain: '', version: halves.size > 0 ? BIT_CAST_OPSET : OPSET },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'traced',
      node: widened([...written, ...copies], halves),
      initializer: constants.map((value) => writeConstant(nameOf(value), value)),
      input: inputs.map((feed) => valueInfo(feed.name, feed)),
      output: outputs.map(([name, value]) => valueInfo(name, value)),
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
