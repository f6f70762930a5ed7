/**
 * @file What the compiler must know of each ONNX operator that it writes. A graph takes no operator that is not here.
 */
import { sizeOf } from '../tensor-spec.js';

/** How a part of an operator's output, along one axis, is made of parts of its inputs (`parts.ts`). */
export type PartKind =
  | 'element'
  | 'broadcast'
  | 'transpose'
  | 'reshape'
  | 'reduction'
  | 'along-axis'
  | 'concat'
  | 'gather'
  | 'slice'
  | 'rotary'
  | 'gemm'
  | 'matmul';

/** A node as far as facts about it need it. */
interface NodeShapes {
  readonly inputs: readonly ({ readonly shape: readonly number[] } | null)[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly { readonly shape: readonly number[] }[];
}

export interface OpFacts {
  /** Set for ONNX Runtime's own operators; without it, an operator is ONNX's. */
  readonly domain?: 'com.microsoft' | 'com.microsoft.nchwc';
  /** What it is called in its domain, where that is a name of another operator, too. */
  readonly onnxName?: string;
  /** Without it, a part is cut out of the whole output. */
  readonly part?: PartKind;
  /** How many multiplications it takes. Without it, it costs a pass over its output. */
  readonly multiplications?: (node: NodeShapes) => number;
  /** Its output is its input's memory: it takes no time. */
  readonly isView?: true;
  /** Worth all threads, however small. */
  readonly allThreads?: true;
  /** All its outputs are written, also those that nobody reads. */
  readonly wholeOutputs?: true;
  /** ONNX's shape inference does not see its output's shape, and what ONNX Runtime does not know it does not optimize. */
  readonly shapeUnseen?: true;
  /** Makes rows as long as each other. */
  readonly isNorm?: true;
  /** The operator that computes the same, roughly, by a matrix in 8 bits. */
  readonly in8Bits?: 'DynamicQuantizeMatMul';
  /** A product by its second input that GPUs also compute in half precision. */
  readonly inHalves?: true;
  /** ONNX Runtime's WebGPU has no kernel for it, or none that gives so many outputs (1.30, measured in placement.test.ts). */
  readonly cpuOnly?: true | { readonly outputs: number };
}

const element = { part: 'element' } as const;
const broadcast = { part: 'broadcast' } as const;
const reduction = { part: 'reduction' } as const;
const alongAxis = { part: 'along-axis' } as const;
const microsoft = { domain: 'com.microsoft' } as const;
const nchwc = { domain: 'com.microsoft.nchwc' } as const;
const norm = { isNorm: true } as const;
const cpuOnly = { cpuOnly: true } as const;

/** Output elements times the length of the rows of the left side. */
function batchedProduct({ inputs, attributes, outputs }: NodeShapes): number {
  return sizeOf(outputs[0]!.shape) * inputs[0]!.shape.at(attributes.transA ? -2 : -1)!;
}

const facts = {
  // element-wise, one input
  Abs: element,
  Atan: { ...element, ...cpuOnly },
  Cast: element,
  Ceil: element,
  Cos: { ...element, ...cpuOnly },
  Elu: { ...element, ...cpuOnly },
  Erf: element,
  Exp: element,
  FastGelu: { ...element, ...microsoft },
  Floor: element,
  Gelu: element,
  HardSigmoid: element,
  IsNaN: { ...element, ...cpuOnly },
  LeakyRelu: element,
  Log: element,
  Neg: element,
  Not: element,
  QuickGelu: { ...element, ...microsoft },
  Reciprocal: element,
  Relu: element,
  Round: { ...element, ...cpuOnly },
  Selu: { ...element, ...cpuOnly },
  Sigmoid: element,
  Sign: { ...element, ...cpuOnly },
  Sin: { ...element, ...cpuOnly },
  Softplus: element,
  Sqrt: element,
  Tan: { ...element, ...cpuOnly },
  Tanh: element,
  // element-wise, several inputs
  Add: broadcast,
  And: broadcast,
  Clip: broadcast,
  Div: broadcast,
  Equal: broadcast,
  Greater: broadcast,
  GreaterOrEqual: broadcast,
  Less: broadcast,
  LessOrEqual: broadcast,
  Max: broadcast,
  Min: broadcast,
  Mul: broadcast,
  Or: { ...broadcast, ...cpuOnly },
  Pow: broadcast,
  Sub: broadcast,
  Where: broadcast,
  // shape
  Concat: { part: 'concat' },
  Expand: {},
  Gather: { part: 'gather' },
  GatherND: {},
  OneHot: cpuOnly,
  Pad: {},
  Reshape: { part: 'reshape', isView: true },
  ScatterElements: {},
  ScatterND: {},
  Slice: { part: 'slice' },
  Tile: {},
  Transpose: { part: 'transpose' },
  // products, reductions, softmax
  ArgMax: {},
  ArgMin: {},
  /** A Gemm a block of the matrix at a time (block-gemm.ts), with the multiplications of one block: that is what threads share. */
  BlockGemm: {
    onnxName: 'Scan',
    multiplications: ({ inputs: [, blocks], outputs: [product] }) =>
      sizeOf(blocks!.shape.slice(1)) * product!.shape.at(-2)!,
  },
  CumSum: {},
  DynamicQuantizeMatMul: microsoft,
  FusedMatMul: { part: 'matmul', ...microsoft, multiplications: batchedProduct, ...cpuOnly },
  Gemm: {
    part: 'gemm',
    in8Bits: 'DynamicQuantizeMatMul',
    inHalves: true,
    multiplications: batchedProduct,
  },
  LogSoftmax: { ...alongAxis, ...cpuOnly },
  MatMul: { part: 'matmul', multiplications: batchedProduct, inHalves: true },
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSum: reduction,
  Softmax: alongAxis,
  TopK: { wholeOutputs: true },
  // transformers
  /** Reads its cache wrongly where the new one is left out. */
  GroupQueryAttention: { ...microsoft, wholeOutputs: true },
  LayerNormalization: norm,
  RotaryEmbedding: { part: 'rotary', ...microsoft },
  SimplifiedLayerNormalization: norm,
  // images
  AveragePool: {},
  BatchNormalization: {},
  Conv: { allThreads: true, inHalves: true },
  ConvTranspose: { allThreads: true, ...cpuOnly },
  MaxPool: { cpuOnly: { outputs: 2 } },
  MaxUnpool: { shapeUnseen: true, ...cpuOnly },
  Resize: {},
  // channels in blocks (rules/channel-blocks.ts)
  NchwcConv: { onnxName: 'Conv', allThreads: true, ...nchwc },
  ReorderInput: nchwc,
  ReorderOutput: nchwc,
  // pictures in 8 bits (compiler/rough)
  DequantizeLinear: {},
  MatMulInteger: {},
  NhwcMaxPool: microsoft,
  QLinearConv: microsoft,
  QuantizeLinear: {},
} satisfies Record<string, OpFacts>;

export type OpName = keyof typeof facts;

export const opTable: Readonly<Record<OpName, OpFacts>> = facts;

interface TypedNode {
  readonly op: OpName;
  readonly inputs: readonly ({ readonly dtype: string } | null)[];
  readonly outputs: readonly unknown[];
}

/** Whether ONNX Runtime computes a node on the CPU on a device that lacks kernels. None there computes with 64-bit integers. */
export function runsOnCpu({ op, inputs, outputs }: TypedNode): boolean {
  const { cpuOnly } = opTable[op];
  const isMissing = typeof cpuOnly === 'object' ? outputs.length >= cpuOnly.outputs : cpuOnly === true;
  return isMissing || inputs[0]?.dtype === 'int64';
}
