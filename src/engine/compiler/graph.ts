/**
 * @file The graph a trace builds: ONNX nodes in SSA form.
 *
 * Every value is made once (hash-consing does the common-subexpression elimination) and simplified as it is
 * made: reshapes and transposes compose, casts to the same type vanish, and transposes sink through
 * element-wise operations so that a chain of NHWC convolutions becomes a chain of NCHW ones.
 */
import { createHash } from 'node:crypto';
import { broadcastShape, type GraphDType, sameShape, type TypedArray } from '../tensor-spec.js';
import { plainTraits, type Traits } from '../traits.js';
import type { OpName } from './op-table.js';

export type ConstantArray = TypedArray | BigInt64Array;

/** An attribute of an ONNX node: an integer, a list of integers, a string, or `{ f }` for a float. */
export type Attribute = number | readonly number[] | string | { readonly f: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface GraphNode {
  readonly op: OpName;
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: Value[];
}

export type ValueSource =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'weight'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: ConstantArray }
  | { readonly kind: 'splat'; readonly value: number }
  | { readonly kind: 'node'; readonly node: GraphNode; readonly index: number };

/** One array in the graph. `splat` is a constant whose elements are all the same. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: GraphDType;
  readonly source: ValueSource;
}

/** Constants of more elements are compared by their hash. */
const SMALL = 64;

/** The same for arrays of the same bytes. */
export function contentHash(data: ConstantArray): string {
  return createHash('sha1').update(bytesOf(data)).digest('hex');
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export class Graph {
  private readonly known = new Map<string, Value>();
  private nextId = 0;

  /** @param traits - of the device that the graph will run on */
  constructor(readonly traits: Traits = plainTraits) {}

  // -- leaves ----------------------------------------------------------------------------------------------

  input(name: string, shape: readonly number[], dtype: GraphDType): Value {
    return this.leaf(`input ${name}`, shape, dtype, { kind: 'input', name });
  }

  weight(name: string, shape: readonly number[]): Value {
    return this.leaf(`weight ${name}`, shape, 'float32', { kind: 'weight', name });
  }

  constant(data: ConstantArray, shape: readonly number[], dtype: GraphDType): Value {
    if (dtype !== 'int64' && data.length > 0 && (data as TypedArray).every((x) => Object.is(x, data[0]))) {
      return this.splat(Number(data[0]), shape, dtype);
    }
    const content = data.length <= SMALL ? `${data}` : contentHash(data);
    return this.leaf(`constant ${dtype} ${shape} ${content}`, shape, dtype, { kind: 'constant', data });
  }

  /** A constant whose elements are all `value`. */
  splat(value: number, shape: readonly number[], dtype: GraphDType): Value {
    const key = `splat ${dtype} ${shape} ${Object.is(value, -0) ? '-0' : value}`;
    return this.leaf(key, shape, dtype, { kind: 'splat', value });
  }

  /** A list of int64, as ONNX takes shapes and axes. */
  ints(values: readonly number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length], 'int64');
  }

  private leaf(key: string, shape: readonly number[], dtype: GraphDType, source: ValueSource): Value {
    const found = this.known.get(key);
    if (found) return found;
    const value = { id: this.nextId++, shape, dtype, source };
    this.known.set(key, value);
    return value;
  }

  // -- nodes -----------------------------------------------------------------------------------------------

  /** A node with one output. */
  node(
    op: OpName,
    inputs: readonly (Value | null)[],
    shape: readonly number[],
    dtype: GraphDType,
    attributes: Attributes = {},
  ): Value {
    return this.nodes(op, inputs, [{ shape, dtype }], attributes)[0]!;
  }

  /** A node with several outputs. */
  nodes(
    op: OpName,
    inputs: readonly (Value | null)[],
    outputs: readonly { shape: readonly number[]; dtype: GraphDType }[],
    attributes: Attributes = {},
  ): Value[] {
    const key = this.nodeKey(op, inputs, attributes, outputs.length);
    const found = this.known.get(key);
    if (found?.source.kind === 'node') return found.source.node.outputs;
    const node: GraphNode = { op, inputs, attributes, outputs: [] };
    for (const [index, { shape, dtype }] of outputs.entries()) {
      node.outputs.push({ id: this.nextId++, shape, dtype, source: { kind: 'node', node, index } });
    }
    this.known.set(key, node.outputs[0]!);
    return node.outputs;
  }

  /** The value an identical node already has, if one was made. */
  find(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): Value | undefined {
    return this.known.get(this.nodeKey(op, inputs, attributes, 1));
  }

  private nodeKey(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes, outputs: number) {
    return `${op} ${inputs.map((value) => value?.id ?? '-')} ${JSON.stringify(attributes)} ${outputs}`;
  }

  // -- operations that simplify ----------------------------------------------------------------------------

  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.source.kind === 'splat') return this.splat(x.source.value, shape, x.dtype);
    if (x.source.kind === 'constant') return this.constant(x.source.data, shape, x.dtype);
    const inner = madeBy(x, 'Reshape');
    if (inner) return this.reshape(inner.inputs[0]!, shape);
    return this.node('Reshape', [x, this.ints(shape)], shape, x.dtype);
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((from, to) => from === to)) return x;
    const shape = perm.map((axis) => x.shape[axis]!);
    if (x.source.kind === 'splat') return this.splat(x.source.value, shape, x.dtype);
    // Moving axes of length one about is a reshape, which costs nothing.
    const long = (axes: readonly number[]) => axes.filter((axis) => x.shape[axis] !== 1);
    const moved = long(perm);
    if (moved.every((axis, i) => i === 0 || axis > moved[i - 1]!)) return this.reshape(x, shape);
    const inner = madeBy(x, 'Transpose');
    if (inner) {
      const innerPerm = inner.attributes.perm as readonly number[];
      return this.transpose(
        inner.inputs[0]!,
        perm.map((axis) => innerPerm[axis]!),
      );
    }
    return this.node('Transpose', [x], shape, x.dtype, { perm });
  }

  cast(x: Value, dtype: GraphDType): Value {
    if (x.dtype === dtype) return x;
    if (x.source.kind === 'splat' && dtype !== 'float16') {
      const { value } = x.source;
      return this.splat(
        dtype === 'bool' ? Number(value !== 0) : dtype === 'float32' ? value : Math.trunc(value),
        x.shape,
        dtype,
      );
    }
    return this.unary('Cast', x, { to: ONNX_TYPE[dtype] }, dtype);
  }

  /** x repeated along its axes of length one, and along new leading axes. */
  broadcast(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.source.kind === 'splat') return this.splat(x.source.value, shape, x.dtype);
    return this.node('Expand', [x, this.ints(shape)], shape, x.dtype);
  }

  /** Element-wise function of one array. */
  unary(op: OpName, x: Value, attributes: Attributes = {}, dtype: GraphDType = x.dtype): Value {
    const inner = madeBy(x, 'Transpose');
    if (inner) {
      return this.transpose(
        this.unary(op, inner.inputs[0]!, attributes, dtype),
        inner.attributes.perm as number[],
      );
    }
    return this.node(op, [x], x.shape, dtype, attributes);
  }

  /** Element-wise function of several arrays, broadcast. */
  elementwise(
    op: OpName,
    inputs: readonly Value[],
    dtype: GraphDType = inputs[0]!.dtype,
    attributes: Attributes = {},
  ): Value {
    const shape = inputs.map((x) => x.shape).reduce(broadcastShape);
    const sunk = this.sink(op, inputs, shape, dtype, attributes);
    if (sunk) return sunk;
    // Splats and repeated arrays cost a pass over memory, and nothing when they broadcast against another input.
    const full = inputs.some(
      (x) => sameShape(x.shape, shape) && x.source.kind !== 'splat' && !madeBy(x, 'Expand'),
    );
    const thin = full ? inputs.map((x) => this.beforeBroadcast(x)) : inputs;
    return this.node(op, thin, shape, dtype, attributes);
  }

  private beforeBroadcast(x: Value): Value {
    if (x.source.kind === 'splat') return this.splat(x.source.value, [], x.dtype);
    return madeBy(x, 'Expand')?.inputs[0] ?? x;
  }

  /** f(transpose(x), transpose(y), small) = transpose(f(x, y, small')), all transposes alike. */
  private sink(
    op: OpName,
    inputs: readonly Value[],
    shape: readonly number[],
    dtype: GraphDType,
    attributes: Attributes,
  ) {
    const first = inputs.find((x) => madeBy(x, 'Transpose') && x.shape.length === shape.length);
    if (!first) return undefined;
    const perm = madeBy(first, 'Transpose')!.attributes.perm as readonly number[];
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    const moved: Value[] = [];
    for (const x of inputs) {
      const inner = madeBy(x, 'Transpose');
      if (inner && sameShape(inner.attributes.perm as number[], perm)) moved.push(inner.inputs[0]!);
      else if (x.shape.length === 0) moved.push(x);
      else if (x.source.kind === 'splat' || x.shape.filter((dim) => dim > 1).length <= 1) {
        const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
        moved.push(
          this.reshape(
            x,
            inverse.map((axis) => padded[axis]!),
          ),
        );
      } else return undefined;
    }
    return this.transpose(this.elementwise(op, moved, dtype, attributes), perm);
  }
}

/** A function written down: its graph, and the values that it returned, by name. */
export interface Traced {
  readonly graph: Graph;
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The node that made a value, if it is one of that kind. */
export function madeBy(value: Value, op: OpName): (GraphNode & { inputs: readonly Value[] }) | undefined {
  return value.source.kind === 'node' && value.source.node.op === op
    ? (value.source.node as GraphNode & { inputs: readonly Value[] })
    : undefined;
}

/** The array that a value is another shape of: reshaping is no computation and takes no memory. */
export function withoutReshape(value: Value): Value {
  const reshape = madeBy(value, 'Reshape');
  return reshape ? withoutReshape(reshape.inputs[0]!) : value;
}

/** Element types as ONNX numbers them (TensorProto.DataType). */
export const ONNX_TYPE: Readonly<Record<GraphDType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
