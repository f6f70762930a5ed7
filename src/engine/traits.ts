/** @file What is fastest, or goes wrong, where a function is computed. */

/** Decides which nodes are written. */
export interface Traits {
  /** In what products by weights are faster than in float32: in 8 bits; in half precision, where the GPU has it; in nothing. */
  readonly rough: 'int8' | 'float16' | null;
  /** A steep HardSigmoid is the fastest node that is 1 where x is positive and else 0. */
  readonly fastHardSigmoid: boolean;
  /** Constants of a graph are laid out anew: filters in blocks of channels, matrices in 8 bits in panels. */
  readonly packsConstants: boolean;
  /**
   * Channels that stand beside each other in the layout in which ONNX Runtime's convolutions are fastest (rules/channel-blocks.ts);
   * 0 where it has none, or it is not known.
   */
  readonly channelBlock: 0 | 8 | 16;
  /** Weights can be kept in half precision and widened in each run. */
  readonly widensHalves: boolean;
  /** Some rows of a weight can be fed without a copy. */
  readonly viewsWeights: boolean;
  /**
   * Convolutions from 6, 9, 15 … channels (a multiple of 3, not of 4) to a multiple of 4 read wrong channels: ONNX Runtime's WebGPU
   * reads them in threes (conv2d_mm.cc) and counts them in fours, in 1.30 (its issue 29651).
   */
  readonly misreadsThrees: boolean;
  /** Some operators have no kernel there, as `op-table.ts` says: ONNX Runtime computes them on the CPU. */
  readonly lacksKernels: boolean;
}

/** Traits of a device that runs every function as it is written. */
export const plainTraits: Traits = {
  rough: null,
  fastHardSigmoid: false,
  packsConstants: false,
  channelBlock: 0,
  widensHalves: false,
  viewsWeights: false,
  misreadsThrees: false,
  lacksKernels: false,
};

/** Elements of a weight in half precision that are widened at once: as float32 they take 4 MiB, which stay in the cache. */
export const WIDE_AT_ONCE = 2 ** 20;
