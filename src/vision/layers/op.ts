/**
 * @file What a network is made of: the operations that every reader (Keras, TensorFlow, ONNX, PyTorch) translates to.
 *
 * Images are [batch, height, width, channel], vectors [batch, channel]; kernels [height, width, in / groups, out].
 */
import type * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { Channels } from './channels.js';
import type { Param } from './params.js';
import type { ResizeOptions } from './resample.js';
import type { TransformerOp } from './transformer-op.js';
import type { Pads, Window } from './windows.js';

export type Shape = readonly number[];

/** A network's picture; the first node of every graph. */
export interface InputOp {
  readonly kind: 'input';
}

/** Something computed from weights alone; a literal for the few numbers that stand in a model's configuration. */
export interface ConstantOp {
  readonly kind: 'constant';
  readonly value: Param | { readonly shape: Shape; readonly data: readonly number[] };
}

/** `groups` equal to the input's channels makes it a depthwise convolution. */
export interface ConvOp {
  readonly kind: 'conv';
  readonly kernel: Param;
  readonly bias?: Param;
  readonly window: Window;
  readonly groups: number;
}

/** The transpose of a convolution: the kernel, turned by half, over the image with zeros between its entries. */
export interface TransposedConvOp {
  readonly kind: 'transposed conv';
  /** [height, width, in / groups, out], already turned. */
  readonly kernel: Param;
  readonly bias?: Param;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** What is cut off the result, and added at its ends; `same`: output = input * stride. */
  readonly pads: Pads | 'same';
  readonly outputPads: readonly [number, number];
  readonly groups: number;
}

export interface DenseOp {
  readonly kind: 'dense';
  /** [in, out] */
  readonly kernel: Param;
  readonly bias?: Param;
}

/** Batch normalization, or a part of it: (x - mean) / sqrt(variance + epsilon) * scale + shift, each [channel]. */
export interface AffineOp {
  readonly kind: 'affine';
  readonly mean?: Param;
  readonly variance?: Param;
  readonly epsilon?: number;
  readonly scale?: Param;
  readonly shift?: Param;
}

export type ActivationName =
  | 'relu'
  | 'clip'
  | 'leaky-relu'
  | 'elu'
  | 'selu'
  | 'sigmoid'
  | 'hard-sigmoid'
  | 'hard-swish'
  | 'silu'
  | 'tanh'
  | 'softplus'
  | 'mish'
  | 'gelu'
  | 'gelu-tanh'
  | 'gelu-quick'
  | 'linear'
  | 'power'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'rsqrt'
  | 'abs'
  | 'erf'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'sign'
  | 'truncate'
  | 'nonzero';

/** A function of each entry; what `a` and `b` mean stands in the table of activations. */
export interface ActivationOp {
  readonly kind: 'activation';
  readonly name: ActivationName;
  readonly a?: number;
  readonly b?: number;
}

export interface PreluOp {
  readonly kind: 'prelu';
  readonly slope: Param;
}

export interface PoolOp {
  readonly kind: 'max pool' | 'average pool';
  readonly window: Window;
  /** Whether an average divides by the padding too. */
  readonly countPadding: boolean;
}

/** `l1`: the sum of absolute values, `l2`: the root of the sum of squares. */
export type ReductionName = 'mean' | 'sum' | 'max' | 'min' | 'prod' | 'l1' | 'l2';

/** One number for all entries along `axes` (never the batch). */
export interface ReduceOp {
  readonly kind: 'reduce';
  readonly name: ReductionName;
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export interface PadOp {
  readonly kind: 'pad';
  /** [before, after] of each axis. */
  readonly pads: readonly (readonly [number, number])[];
  readonly mode: 'constant' | 'reflect' | 'symmetric' | 'edge';
  readonly value: number;
}

/** Entries begin, begin + step, … below end of one axis; negative ends count from the end. */
export interface SliceOp {
  readonly kind: 'slice';
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
  readonly step: number;
}

/**
 * To `size`, or by `scales` where there is no size (output = floor(input * scale)); with neither, to the size of a
 * second input, of which nothing else is read.
 */
export interface ResizeOp {
  readonly kind: 'resize';
  readonly size?: readonly [number, number];
  readonly scales?: readonly [number, number];
  readonly options: ResizeOptions;
}

/** Local response normalization across channels: x / (bias + alpha / size * sum of squares in the window) ** beta. */
export interface LrnOp {
  readonly kind: 'lrn';
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/** Two arrays, entry by entry, broadcast as in NumPy. */
export interface BinaryOp {
  readonly kind: 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';
}

/** Matrix products along the last two axes, the others broadcast. */
export interface MatMulOp {
  readonly kind: 'matmul';
}

/** The second input where the first is not 0, else the third; broadcast. */
export interface SelectOp {
  readonly kind: 'select';
}

export interface ConcatOp {
  readonly kind: 'concat';
  readonly axis: number;
}

/** [batch, everything else]; an image in the given order of channel, height, width. */
export interface FlattenOp {
  readonly kind: 'flatten';
  readonly order: 'chw' | 'hwc';
}

/** `shape` leaves the batch out; one -1 is what remains. */
export interface ReshapeOp {
  readonly kind: 'reshape';
  readonly shape: readonly number[];
  /** How many entries of the first axis a picture has before and after, where windows of it are there too. */
  readonly leading?: { readonly from: number; readonly to: number };
}

/** Takes out axes of length 1. */
export interface SqueezeOp {
  readonly kind: 'squeeze';
  readonly axes: readonly number[];
}

/** Adds axes of length 1 behind. */
export interface UnsqueezeOp {
  readonly kind: 'unsqueeze';
  readonly count: number;
}

/** Entries of one axis (never the batch), by number. */
export interface GatherOp {
  readonly kind: 'gather';
  readonly axis: number;
  readonly indices: readonly number[];
}

/**
 * Channels to blocks of pixels, or back (`inverse`). The channels lie as [block, block, depth] (`DCR`) or [depth, block,
 * block] (`CRD`).
 */
export interface DepthToSpaceOp {
  readonly kind: 'depth to space';
  readonly block: number;
  readonly mode: 'DCR' | 'CRD';
  readonly inverse: boolean;
}

/** (x - mean) / sqrt(variance + epsilon) over all positions and each group of channels. */
export interface GroupNormOp {
  readonly kind: 'group norm';
  readonly groups: number;
  readonly epsilon: number;
}

export interface TransposeOp {
  readonly kind: 'transpose';
  readonly perm: readonly number[];
}

/** Over the last axis. */
export interface SoftmaxOp {
  readonly kind: 'softmax';
}

export type Op =
  | InputOp
  | ConstantOp
  | ConvOp
  | TransposedConvOp
  | DenseOp
  | AffineOp
  | ActivationOp
  | PreluOp
  | PoolOp
  | ReduceOp
  | PadOp
  | SliceOp
  | ResizeOp
  | LrnOp
  | BinaryOp
  | MatMulOp
  | SelectOp
  | ConcatOp
  | FlattenOp
  | ReshapeOp
  | SqueezeOp
  | UnsqueezeOp
  | GatherOp
  | DepthToSpaceOp
  | GroupNormOp
  | TransposeOp
  | SoftmaxOp
  | TransformerOp;

export interface OpContext {
  readonly weights: WeightLookup;
  /** What to compute; only rules with `demand` are given a choice. */
  readonly channels: Channels;
  /** Full shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Batch normalizations that follow and are folded into the weights, in order. */
  readonly folded: readonly AffineOp[];
}

/** One row of the table of layer rules. */
export interface Rule<O extends Op> {
  /** Output shape; throws UserError when the inputs are impossible (a picture too small). */
  shape(op: O, inputs: readonly Shape[]): Shape;
  /**
   * The channels of each input that the given output channels need; `[]` for an input not needed at all.
   * A rule without it always computes every channel from every channel.
   */
  demand?(op: O, channels: readonly number[], inputs: readonly Shape[]): readonly Channels[];
  /** The output's demanded channels from the inputs' demanded channels; null for an input not needed. */
  run(op: O, inputs: readonly (tf.Tensor | null)[], context: OpContext): tf.Tensor;
}

export const channelCount = (shape: Shape): number => shape.at(-1) ?? 1;
