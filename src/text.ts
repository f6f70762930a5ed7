/**
 * Language models: any activation of one, what a text does to a unit, the search for text, tuning. `openModel` of
 * `superstimulus` needs none of this.
 *
 * @module
 */

// Models by name: embedded, in a folder, on the hub.

export type { DownloadOptions } from './hub/download-files.js';
export { embeddedFolder, embeddedModels } from './hub/embedded.js';
export { type ListedModel, listModels } from './hub/list-models.js';
export { hashModel } from './hub/model-hash.js';
export type { PublishedExemplar, PublishedFeature } from './hub/neuronpedia-feature.js';
export { type ResolvedModel, resolveLocal, resolveModel } from './hub/resolve-model.js';
export type { HubSettings } from './hub/settings.js';

// A language model: load one, ask it for any activation.

export type { ChangingWeights } from './text/lm/changing-weights.js';
export type { ChatTurn } from './text/lm/chat.js';
export { embedTokens } from './text/lm/embed.js';
export type { FrameChoice } from './text/lm/frame.js';
export type { MatchedWeights } from './text/lm/match-weights.js';
export { loadTextModel, openTextWeights, type TextModel, type TextWeights } from './text/lm/model.js';
export type { LayerPlace, Place } from './text/lm/places.js';
export type { Edits, KeyValueCache } from './text/lm/reading.js';
export type {
  Activation,
  ExpertsSpec,
  Frame,
  ModuleNames,
  PositionEncoding,
  TransformerSpec,
} from './text/lm/spec.js';
export { openSubject, type Subject, type TextSubject } from './text/lm/subject.js';
export { Tokenizer, type TokenizerOptions } from './text/lm/tokenizer.js';
export {
  forward,
  type Pass as TransformerPass,
  sequenceLogProbs,
  step,
  type TransformerInput,
} from './text/lm/transformer.js';
export { logitDirections, unembed } from './text/lm/unembed.js';

// Units by name.

export {
  type SequenceScore,
  searchMethodNames,
  sequenceScores,
} from './text/names.js';
export type { DirectionUnit } from './text/readouts/direction.js';
export type { ExpertNeuronUnit, ExpertUnit } from './text/readouts/expert.js';
export type { HeadUnit } from './text/readouts/head.js';
export { type HeadMeasure, headMeasures, type MeasureChoice } from './text/readouts/head-measures.js';
export { formatUnit, parseUnit, type TextUnit } from './text/readouts/kinds.js';
export type { LatentUnit } from './text/readouts/latent.js';
export { type LayerUnits, listTextUnits, type TextUnits } from './text/readouts/list-units.js';
export type { LogitUnit } from './text/readouts/logit.js';
export type { NeuronUnit } from './text/readouts/neuron.js';
export type { TextObjective, TextTerm } from './text/readouts/objective.js';
export type {
  Centre,
  Effect,
  Fit,
  Looks,
  PassContext,
  Readout,
  ReadoutGroup,
  Siblings,
} from './text/readouts/readout.js';
export type { ReferenceClass, ReferencePart } from './text/readouts/reference.js';

// What a text does to a unit.

export type { PublishedUnit, ScoredExemplar } from './core/published-unit.js';
export type { Saving } from './runs/checkpoints.js';
export { type AblationOptions, ablationDivergence } from './text/readouts/ablation.js';
export {
  type CalibratedGroup,
  type CalibrateOptions,
  type CalibrationResult,
  calibrateUnits,
} from './text/readouts/calibrate-units.js';
export type { CalibratedUnit, CalibrationSource } from './text/readouts/calibrated-unit.js';
export { Calibration, type CalibrationOptions } from './text/readouts/calibration.js';
export { type Carrier, carriers, clusterTexts, type TextCluster } from './text/readouts/clusters.js';
export type { CalibrationText } from './text/readouts/count-groups.js';
export {
  type Details,
  detailsReader,
  rawReader,
  readOnce,
  type TextDetails,
  type TextReader,
} from './text/readouts/details.js';
export {
  Explainer,
  type ExplainOptions,
  type OpenExplainer,
  openExplainer,
} from './text/readouts/explain.js';
export type { GroupStatistics } from './text/readouts/group-statistics.js';
export { Probe, type ProbeOptions, type RivalScores } from './text/readouts/probe.js';
export type { Rivalry, Scores } from './text/readouts/scores.js';
export { calibrate, type Resolved, resolveUnits, type Session } from './text/readouts/session.js';
export { type ScoreOptions, type ScoreResult, scoreText } from './text/score.js';
export type { ScoreRequest, UnitScore } from './text/scorer.js';

// Drawing texts from p(x), and from p(x) exp(beta J).

export type { FluencyModel } from './text/fluency/fluency-model.js';
export { openFluencyModel } from './text/fluency/open-fluency.js';
export { type AnnealingOptions, annealed, type Rung } from './text/sampling/annealing.js';
export { Chains, type ChainsOptions, type Move, type Tried } from './text/sampling/chains.js';
export { Decoder, type Drawn } from './text/sampling/decoder.js';
export type { DecoderOptions, Proposal, Standing } from './text/sampling/decoder-graphs.js';
export type { Rewrite } from './text/sampling/draw-jobs.js';
export { importanceWeights, type Weighted } from './text/sampling/importance.js';
export { type KnownRow, nothingKnown } from './text/sampling/known.js';
export { PrefixReward } from './text/sampling/prefix-reward.js';
export { Sampler, type SamplerOptions } from './text/sampling/sampler.js';
export { type Island, type Particles, type SmcOptions, sequentialMonteCarlo } from './text/sampling/smc.js';

// Searching text: by computing, for one unit or many, and in a corpus.

export type { AtlasResult } from './text/atlas/atlas.js';
export type { AtlasSummary } from './text/atlas/atlas-unit.js';
export {
  type CorpusResult,
  type CorpusScanOptions,
  type CorpusText,
  scanCorpus,
} from './text/corpus/corpus-scan.js';
export { type CorpusFile, type Cut, corpusFiles } from './text/corpus/corpus-text.js';
export type { Earlier } from './text/search/drive.js';
export {
  type BaselineBest,
  type Budget,
  type SearchMethodName,
  type SearchOptions,
  type SearchResult,
  searchText,
} from './text/search/search.js';
export type { Shortcuts } from './text/search/shortcuts.js';

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
export { readTuneState, type TuneCost, type TunePosition, type TuneState } from './rl/tune-state.js';
export type { TuneOptions } from './rl/tuning.js';
