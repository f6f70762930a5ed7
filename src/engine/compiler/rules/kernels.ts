/**
 * @file The TensorFlow.js kernels that can be traced, with the types of their inputs and attributes.
 *
 * `rules/index.ts` must have a rule for each: a missing one is a type error.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph.js';

type Unary = [tf.UnaryInputs, unknown];
type Binary = [tf.BinaryInputs, unknown];
type Reduction = [Pick<tf.NamedTensorInfoMap, 'x'>, tf.SumAttrs];

export interface TracedKernels {
  // element-wise, one input
  Abs: Unary;
  Ceil: Unary;
  Cos: Unary;
  Elu: Unary;
  Erf: Unary;
  Exp: Unary;
  Expm1: Unary;
  Floor: Unary;
  Log: Unary;
  Log1p: Unary;
  LogicalNot: Unary;
  Neg: Unary;
  Reciprocal: Unary;
  Relu: Unary;
  Relu6: Unary;
  Round: Unary;
  Rsqrt: Unary;
  Selu: Unary;
  Sigmoid: Unary;
  Sign: Unary;
  Sin: Unary;
  Softplus: Unary;
  Sqrt: Unary;
  Square: Unary;
  Tan: Unary;
  Tanh: Unary;
  Atan: Unary;
  IsNan: Unary;
  Identity: Unary;
  OnesLike: Unary;
  ZerosLike: Unary;
  Cast: [tf.CastInputs, tf.CastAttrs];
  ClipByValue: [tf.ClipByValueInputs, tf.ClipByValueAttrs];
  LeakyRelu: [tf.LeakyReluInputs, tf.LeakyReluAttrs];
  Step: [tf.StepInputs, tf.StepAttrs];
  // element-wise, several inputs
  Add: Binary;
  AddN: [tf.AddNInputs, unknown];
  EluGrad: [tf.EluGradInputs, unknown];
  Equal: Binary;
  FloorDiv: Binary;
  Greater: Binary;
  GreaterEqual: Binary;
  Less: Binary;
  LessEqual: Binary;
  LogicalAnd: Binary;
  LogicalOr: Binary;
  Maximum: Binary;
  Minimum: Binary;
  Mod: Binary;
  Multiply: Binary;
  NotEqual: Binary;
  Pow: Binary;
  Prelu: [tf.PreluInputs, unknown];
  RealDiv: Binary;
  Select: [tf.SelectInputs, unknown];
  SquaredDifference: Binary;
  Sub: Binary;
  // shape
  BroadcastTo: [tf.BroadcastToInputs, tf.BroadCastToAttrs];
  Concat: [tf.ConcatInputs, tf.ConcatAttrs];
  ExpandDims: [tf.ExpandDimsInputs, tf.ExpandDimsAttrs];
  Fill: [object, tf.FillAttrs];
  GatherV2: [tf.GatherV2Inputs, tf.GatherV2Attrs];
  MirrorPad: [tf.MirrorPadInputs, tf.MirrorPadAttrs];
  OneHot: [tf.OneHotInputs, tf.OneHotAttrs];
  Pack: [tf.PackInputs, tf.PackAttrs];
  PadV2: [tf.PadV2Inputs, tf.PadV2Attrs];
  Range: [object, tf.RangeAttrs];
  Reshape: [tf.ReshapeInputs, tf.ReshapeAttrs];
  Reverse: [tf.ReverseInputs, tf.ReverseAttrs];
  ScatterNd: [tf.ScatterNdInputs, tf.ScatterNdAttrs];
  Slice: [tf.SliceInputs, tf.SliceAttrs];
  SplitV: [tf.SplitVInputs, tf.SplitVAttrs];
  StridedSlice: [tf.StridedSliceInputs, tf.StridedSliceAttrs];
  Tile: [tf.TileInputs, tf.TileAttrs];
  Transpose: [tf.TransposeInputs, tf.TransposeAttrs];
  Unpack: [tf.UnpackInputs, tf.UnpackAttrs];
  UnsortedSegmentSum: [tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs];
  // linear algebra and reductions
  All: Reduction;
  Any: Reduction;
  ArgMax: [tf.ArgMaxInputs, tf.ArgMaxAttrs];
  ArgMin: [tf.ArgMinInputs, tf.ArgMinAttrs];
  BatchMatMul: [tf.BatchMatMulInputs, tf.BatchMatMulAttrs];
  Cumsum: [tf.CumsumInputs, tf.CumsumAttrs];
  Max: [tf.MaxInputs, tf.MaxAttrs];
  Mean: Reduction;
  Min: Reduction;
  Prod: Reduction;
  Softmax: [tf.SoftmaxInputs, tf.SoftmaxAttrs];
  Sum: Reduction;
  TopK: [tf.TopKInputs, tf.TopKAttrs];
  // images
  AvgPool: [tf.AvgPoolInputs, tf.AvgPoolAttrs];
  AvgPoolGrad: [tf.AvgPoolGradInputs, tf.AvgPoolGradAttrs];
  Conv2D: [tf.Conv2DInputs, tf.Conv2DAttrs];
  Conv2DBackpropFilter: [tf.Conv2DBackpropFilterInputs, tf.Conv2DBackpropFilterAttrs];
  Conv2DBackpropInput: [tf.Conv2DBackpropInputInputs, tf.Conv2DBackpropInputAttrs];
  DepthwiseConv2dNative: [tf.DepthwiseConv2dNativeInputs, tf.DepthwiseConv2dNativeAttrs];
  DepthwiseConv2dNativeBackpropInput: [
    tf.DepthwiseConv2dNativeBackpropInputInputs,
    tf.DepthwiseConv2dNativeBackpropInputAttrs,
  ];
  FusedBatchNorm: [tf.FusedBatchNormInputs, tf.FusedBatchNormAttrs];
  LRN: [tf.LRNInputs, tf.LRNAttrs];
  LRNGrad: [tf.LRNGradInputs, tf.LRNGradAttrs];
  MaxPool: [tf.MaxPoolInputs, tf.MaxPoolAttrs];
  MaxPoolGrad: [tf.MaxPoolGradInputs, tf.MaxPoolGradAttrs];
  ResizeBilinear: [tf.ResizeBilinearInputs, tf.ResizeBilinearAttrs];
  ResizeBilinearGrad: [tf.ResizeBilinearGradInputs, tf.ResizeBilinearGradAttrs];
  ResizeNearestNeighbor: [tf.ResizeNearestNeighborInputs, tf.ResizeNearestNeighborAttrs];
  ResizeNearestNeighborGrad: [tf.ResizeNearestNeighborGradInputs, tf.ResizeNearestNeighborGradAttrs];
}

/** What a kernel does to a graph: the values it makes of its inputs. */
export type KernelRule<K extends keyof TracedKernels> = (
  graph: Graph,
  inputs: TracedKernels[K][0] extends tf.TensorInfo[]
    ? Value[]
    : { [Name in keyof TracedKernels[K][0]]: Value },
  attributes: TracedKernels[K][1],
) => Value | Value[];

export type Rules = { readonly [K in keyof TracedKernels]: KernelRule<K> };
