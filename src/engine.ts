/**
 * The engine: a TensorFlow.js function in, a compiled function out. `tf` is the instance that it traces.
 *
 * @module
 */

// Compiling.

export * as tf from '@tensorflow/tfjs-core';
export {
  type Compiled,
  type CompileOptions,
  compile,
  type Device,
  type Engine,
  type EngineName,
  engineNames,
  type Precision,
  printProgram,
  type Resident,
  type RunInput,
  releaseWeights,
  resident,
} from './engine/compile.js';
export { type TensorFunction, TraceError } from './engine/compiler/trace.js';
export type { DType, TensorSpec, TypedArray } from './engine/tensor-spec.js';

// Differentiable functions that map to one operator.

export {
  attendCached,
  type Cache,
  type Rotation,
  rotate,
  type Scoring,
  softmaxAttention,
  writeAt,
} from './engine/functions/attention.js';
export { batchNormRelu } from './engine/functions/batch-norm.js';
export { gelu, geluTanh, layerNorm, rmsNorm, silu } from './engine/functions/ops.js';
export { tokenLogProbs } from './engine/functions/token-log-probs.js';

// Training.

export {
  type AdamWOptions,
  adamW,
  clipByGlobalNorm,
  cosineSchedule,
  type MuonOptions,
  muon,
  reshaped,
  type Slots,
  slowed,
  type UpdateRule,
} from './engine/training/optimizer.js';
export {
  type StepResult,
  Trainer,
  type TrainerOptions,
  type TrainingState,
} from './engine/training/trainer.js';

// Weights.

export {
  openSafetensors,
  openSafetensorsFolder,
  Safetensors,
  type WriteOptions,
  writeSafetensors,
} from './engine/weights/safetensors.js';
export {
  type HalfType,
  type HalfWeights,
  MemoryWeights,
  type WeightArray,
  type WeightLookup,
  type WeightSource,
} from './engine/weights/weights.js';

// Seeded random numbers.

export { Random } from './core/random.js';
