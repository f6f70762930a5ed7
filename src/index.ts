/**
 * @file The library. Everything public is listed here, by what it is for.
 *
 * Long computations are generators of events (`Run`): `finishRun` gives the result, `recordRun` also writes a run
 * folder, `for await` shows what happens.
 */

// Errors that a user can mend.
export { exitCodes, UsageError, UserError } from './core/errors.js';
export type { Explanation } from './core/explanation.js';
export { dominates, Frontier, fluencyFront, hypervolume, type Point } from './core/frontier.js';
export { Random } from './core/random.js';
export type { ScoredText } from './core/scored-text.js';
// Units by name.
export {
  type ChannelUnit,
  type DirectionUnit,
  formatUnit,
  type HeadUnit,
  type LogitUnit,
  type NeuronUnit,
  parseUnit,
  type TextUnit,
  type Unit,
} from './core/units.js';
// The engine: a TensorFlow.js function in, a compiled function out. `tf` is the instance that it traces.
export {
  type Compiled,
  type CompileOptions,
  compile,
  type Device,
  deviceNames,
  deviceTrouble,
  type EngineName,
  engineNames,
  type Precision,
  printProgram,
  type Resident,
  type RunInput,
  releaseWeights,
  resident,
  setDevice,
} from './engine/compile.js';
export { type TensorFunction, TraceError } from './engine/compiler/trace.js';
export {
  attendCached,
  type Rotation,
  rotate,
  softmaxAttention,
  writeAt,
} from './engine/functions/attention.js';
export { batchNormRelu } from './engine/functions/batch-norm.js';
export {
  gelu,
  geluTanh,
  layerNorm,
  rmsNorm,
  silu,
  tokenLogProbs,
} from './engine/functions/ops.js';
export * as tf from './engine/functions/tfjs.js';
export type { DType, TensorSpec, TypedArray } from './engine/tensor-spec.js';
export {
  type AdamWOptions,
  adamW,
  clipByGlobalNorm,
  cosineSchedule,
  type MuonOptions,
  muon,
  reshaped,
  slowed,
  type UpdateRule,
} from './engine/training/optimizer.js';
export {
  type StepResult,
  Trainer,
  type TrainerOptions,
  type TrainingState,
} from './engine/training/trainer.js';
export {
  openSafetensors,
  openSafetensorsFolder,
  Safetensors,
  writeSafetensors,
} from './engine/weights/safetensors.js';
export {
  MemoryWeights,
  type WeightArray,
  type WeightLookup,
  type WeightSource,
} from './engine/weights/weights.js';
// Models by name: embedded, in a folder, on the hub.
export type { DownloadOptions } from './hub/download-model.js';
export { embeddedFolder, embeddedModels } from './hub/embedded.js';
export { type ListedModel, listModels } from './hub/list-models.js';
export { hashModel } from './hub/model-hash.js';
export { type ResolvedModel, resolveLocal, resolveModel } from './hub/resolve-model.js';
export { type ImageDocument, type RenderFiles, renderToFiles } from './jobs/render-files.js';
// Pictures on disk: a render with its run folder, contact sheets, animations.
export { contactSheet, type Tile } from './media/contact-sheet.js';
export { encodePng, writeAnimation, writePng } from './media/picture-files.js';
// A picture in the terminal.
export { colorDepth } from './media/styled.js';
export { type Graphics, graphicsOf, type PictureBox, terminalPicture } from './media/terminal-picture.js';
// Runs as pages and figures.
export { writeFigure } from './report/figure-file.js';
export { openRun, type ReportedRun } from './report/reported-run.js';
export { type WrittenReport, writeReport } from './report/write-report.js';
// A language model taught to write what excites a unit.
export { Likelihood, type LikelihoodOptions, type Likelihoods } from './rl/importance.js';
export {
  firstLora,
  type Lora,
  type LoraLayout,
  type LoraSettings,
  loraLayout,
  loraLookup,
  mergedWeights,
} from './rl/lora.js';
export { openPolicy } from './rl/open-policy.js';
export { readPeft, writePeft } from './rl/peft.js';
export type { Baseline, GradientChoice, KlEstimator } from './rl/policy-gradient.js';
export type { SampleStatistics } from './rl/sample-statistics.js';
export { type TuneResult, tune } from './rl/tune.js';
export { readTuneState, type TuneState } from './rl/tune-state.js';
export type { TuneOptions } from './rl/tuning.js';
export type { JobRecord, RunDescription } from './runs/description.js';
// Runs: events, and the folder that keeps them.
export {
  type EventBody,
  eventClock,
  finishRun,
  type JsonValue,
  type ReadEvent,
  type Run,
  type RunEvent,
} from './runs/events.js';
export { followRun, type RunReading, readRun, type ViewedRun, viewRun } from './runs/read-run.js';
export {
  createRunFolder,
  openRunFolder,
  RunFolder,
  recordRun,
} from './runs/run-folder.js';
export {
  type CorpusResult,
  type CorpusScanOptions,
  type CorpusText,
  scanCorpus,
} from './text/corpus/corpus-scan.js';
export { type CorpusFile, type Cut, corpusFiles } from './text/corpus/corpus-text.js';
export type { FluencyModel } from './text/fluency/fluency-model.js';
export { openFluencyModel } from './text/fluency/open-fluency.js';
export type { ChangingWeights } from './text/lm/changing-weights.js';
export { embedTokens } from './text/lm/embed.js';
// Language models: load one, ask it for any activation.
export { loadTextModel, openTextWeights, type TextModel, type TextWeights } from './text/lm/model.js';
export type { Place } from './text/lm/places.js';
export type { KeyValueCache } from './text/lm/reading.js';
export type { TransformerSpec } from './text/lm/spec.js';
export { openSubject, type Subject, type TextSubject } from './text/lm/subject.js';
export { Tokenizer } from './text/lm/tokenizer.js';
export {
  forward,
  type Pass as TransformerRun,
  sequenceLogProbs,
  step,
} from './text/lm/transformer.js';
export { logitDirections, unembed } from './text/lm/unembed.js';
export type { HeadMeasure, SequenceScore } from './text/names.js';
// What a text does to a unit, and the search for text.
export { type AblationOptions, ablationDivergence } from './text/readouts/ablation.js';
export { Calibration, type CalibrationText } from './text/readouts/calibration.js';
export { type Carrier, carriers, clusterTexts, type TextCluster } from './text/readouts/clusters.js';
export {
  Explainer,
  type ExplainOptions,
  type OpenExplainer,
  openExplainer,
} from './text/readouts/explain.js';
export type { GroupStatistics } from './text/readouts/group-statistics.js';
export type { MeasureChoice } from './text/readouts/head-measures/index.js';
export { listTextUnits, type TextUnits } from './text/readouts/list-units.js';
export type { Objective as TextObjective, Term as TextTerm } from './text/readouts/objective.js';
export { Probe, type ProbeOptions } from './text/readouts/probe.js';
export type { Readout, ReadoutGroup } from './text/readouts/readout.js';
export type { ReferenceClass } from './text/readouts/reference.js';
export type { Scores } from './text/readouts/scores.js';
export { calibrate, resolveUnits, type SessionOptions } from './text/readouts/session.js';
export { annealed } from './text/sampling/annealing.js';
export { Chains, type ChainsOptions, type Move } from './text/sampling/chains.js';
export { Decoder } from './text/sampling/decoder.js';
export type { DecoderOptions, Proposal } from './text/sampling/decoder-graphs.js';
export { importanceWeights } from './text/sampling/importance.js';
export { PrefixReward } from './text/sampling/prefix-reward.js';
export { type Rewrite, Sampler, type SamplerOptions } from './text/sampling/sampler.js';
export { type Particles, type SmcOptions, sequentialMonteCarlo } from './text/sampling/smc.js';
export { type ScoreOptions, type ScoreResult, scoreText, type UnitScore } from './text/score.js';
export {
  type BaselineBest,
  type Budget,
  type SearchMethodName,
  type SearchOptions,
  type SearchResult,
  searchText,
} from './text/search/search.js';

// Networks that see.
export {
  type ChannelStatistics,
  type CountedPictures,
  deadChannels,
  type ShippedChannelStatistics,
  shippedChannelStatistics,
} from './vision/channel-statistics.js';
export {
  type DatasetExample,
  type DatasetExamples,
  type DatasetExamplesOptions,
  datasetExamples,
  type UnitExamples,
} from './vision/dataset-examples.js';
export type { Field } from './vision/layers/receptive-field.js';
export type { ParameterizationName } from './vision/names.js';
export { type InputSpec, type LayerInfo, VisionNetwork, type Wanted } from './vision/network.js';
export { type Expression, formatExpression, type Term } from './vision/objectives/expression.js';
export { evaluateObjective, type Objective, resolveObjective } from './vision/objectives/objective.js';
export { parseExpression } from './vision/objectives/parse.js';
export { parseUnitList } from './vision/objectives/unit-list.js';
export { openVisionNetwork } from './vision/open.js';
export { parameterizations } from './vision/parameterizations/index.js';
export type { Parameterization, PictureShape } from './vision/parameterizations/parameterization.js';
export { type Picture, readPicture } from './vision/picture.js';
export type { Preprocessing } from './vision/preprocess.js';
export { renderUnits } from './vision/render/render.js';
export type { RenderOptions, RenderResult, RenderState, UnitResult } from './vision/render/render-options.js';
export {
  formatTransforms,
  parseTransforms,
  standardTransforms,
  type Transform,
} from './vision/transforms/transform.js';
export { makeView, type View } from './vision/transforms/view.js';
