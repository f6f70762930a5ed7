/** @file Small .onnx models written by hand. */
import {
  attributeTypes,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  onnxTypes,
} from '../../src/engine/compiler/onnx-proto.js';

/** Numbers that look random and are always the same. */
export function noise(size: number, seed = 0): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 7.233) * 0.8);
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export function floats(
  name: string,
  dims: number[],
  data: ArrayLike<number> = noise(sizeOf(dims), name.length),
): OnnxTensor {
  return { name, dims, dataType: onnxTypes.float, rawData: new Uint8Array(Float32Array.from(data).buffer) };
}

export function ints(name: string, values: number[], dims = [values.length]): OnnxTensor {
  return { name, dims, dataType: onnxTypes.int64, int64Data: values };
}

export type Setting = number | string | readonly number[] | { f: number } | OnnxTensor;

function attribute(name: string, value: Setting): OnnxAttribute {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value };
  if (typeof value === 'string') return { name, type: attributeTypes.string, s: Buffer.from(value) };
  if (Array.isArray(value)) return { name, type: attributeTypes.ints, ints: [...value] };
  if ('f' in value) return { name, type: attributeTypes.float, f: value.f };
  return { name, type: attributeTypes.tensor, t: value as OnnxTensor };
}

export const node = (
  opType: string,
  input: string[],
  output: string[] | string = 'y',
  settings: Record<string, Setting> = {},
): OnnxNode => ({
  opType,
  name: `${opType}_${output}`,
  input,
  output: [output].flat(),
  attribute: Object.entries(settings).map(([name, value]) => attribute(name, value)),
});

export interface Example {
  nodes: OnnxNode[];
  weights?: OnnxTensor[];
  opset?: number;
  /** [channel, height, width] */
  image?: [number, number, number];
  /** Rank of the output; default 4. */
  rank?: number;
  /** What the graph gives out; default `y`. */
  outputs?: string[];
}

export const valueInfo = (name: string, dims: (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType: onnxTypes.float,
      shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

export function modelOf({
  nodes,
  weights = [],
  opset = 20,
  image = [4, 7, 9],
  rank = 4,
  outputs = ['y'],
}: Example): OnnxModel {
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'example',
      node: nodes,
      initializer: weights,
      input: [valueInfo('x', [1, ...image])],
      output: outputs.map((name) =>
        valueInfo(
          name,
          Array.from({ length: rank }, (_, i) => `dim${i}`),
        ),
      ),
    },
  };
}
