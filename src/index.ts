/** @file What the package exports. */

// Engine
export {
  type Compiled,
  type CompileOptions,
  compile,
  type EngineName,
  engineNames,
  type Resident,
  type RunInput,
  resident,
} from './engine/compile.js';
export { adamW, clipByGlobalNorm, cosineSchedule, muon, type UpdateRule } from './engine/optimizer.js';
export { Random } from './engine/random.js';
export { openSafetensors, openSafetensorsFolder, writeSafetensors } from './engine/safetensors.js';
export type { DType, TensorSpec, TypedArray } from './engine/tensor-spec.js';
export { type TensorFunction, TraceError } from './engine/trace.js';
export { Trainer, type TrainerOptions, type TrainingState } from './engine/trainer.js';
export { MemoryWeights, type WeightArray, type WeightLookup, type WeightSource } from './engine/weights.js';
export { exitCodes, UsageError, UserError } from './errors.js';

// Models
export { hashModel } from './hub/model-hash.js';
export { type ResolvedModel, resolveModel } from './hub/resolve-model.js';

// Runs
export { eventClock, finishRun, type Run, type RunEvent, type ScoredText } from './runs/events.js';
export { readRun } from './runs/read-run.js';
export { createRunFolder, recordRun } from './runs/run-folder.js';

// Language models
export { ablationDivergence } from './text/ablation.js';
export { listTextUnits } from './text/list-units.js';
export type { HeadMeasure, SequenceScore } from './text/measures.js';
export { loadTextModel, openTextWeights, type TextModel } from './text/model.js';
export type { Place } from './text/places.js';
export { type ScoreOptions, type ScoreResult, scoreText } from './text/score.js';
export { Frontier, hypervolume } from './text/search/frontier.js';
export { type Budget, type SearchOptions, type SearchResult, searchText } from './text/search/search.js';
export type { TransformerSpec } from './text/spec.js';
export { forward, step } from './text/transformer.js';
export { formatUnit, parseUnit, type TextUnit, type Unit } from './units.js';

// Vision networks
export { VisionNetwork } from './vision/network.js';
export { openVisionNetwork } from './vision/open.js';
