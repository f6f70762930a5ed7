/**
 * The library: open a model once, ask what its units respond to.
 *
 * ```ts
 * const lm = await openModel('books-lm');
 * const { units } = await lm.score('What does it mean?', ['L2.H5']);
 * ```
 *
 * The parts that this is made of are in `superstimulus/text`, `/vision`, `/engine`, `/runs` and `/report`.
 *
 * @module
 */

// Models, opened by name.

export {
  type AtlasFields,
  type AtlasOutcome,
  type CalibrateFields,
  type CorpusFields,
  type CorpusOutcome,
  type ExplainFields,
  LanguageModel,
  openModel,
  type ScoreFields,
  type SearchFields,
  type SearchOutcome,
  type SessionFields,
  type TuneFields,
  type TuneOutcome,
} from './library/language-model.js';
export {
  Network,
  type ObjectiveInput,
  openNetwork,
  type RenderFields,
  type RenderOutcome,
} from './library/network.js';
export type { FieldsOf, Kept, KeptResult, Stoppable } from './library/run-task.js';
export { type Expression, type LayerFunction, layerObjective } from './vision/objectives/expression.js';

// A computation, its events and its result.

export type { Explanation, TokenValue } from './core/explanation.js';
export type { PublishedUnit, ScoredExemplar } from './core/published-unit.js';
export type { ScoredText } from './core/scored-text.js';
export type { ExamplesDocument, ImageResult } from './jobs/image-result.js';
export type { FoundBy, ResultOf } from './jobs/tasks.js';
export { Running } from './library/running.js';
export type { TuneResult } from './rl/tune.js';
export type { EventSource, RunEvent } from './runs/events.js';
export type { AtlasResult } from './text/atlas/atlas.js';
export type { CorpusResult } from './text/corpus/corpus-scan.js';
export type { ModelAbout } from './text/readouts/about-model.js';
export type { CalibrationResult } from './text/readouts/calibrate-units.js';
export type { CalibratedUnit } from './text/readouts/calibrated-unit.js';
export type { ExplainResult } from './text/readouts/explain.js';
export type { TextUnits } from './text/readouts/list-units.js';
export type { ScoreResult } from './text/score.js';
export type { UnitCalibration, UnitScore } from './text/scorer.js';
export type { BaselineBest, SearchResult } from './text/search/search.js';
export type { LayerInfo } from './vision/network.js';
export type { Picture } from './vision/picture.js';
export type { UnitResult } from './vision/render/render-options.js';

// Errors that a user can fix.

export { exitCodes, UsageError, UserError } from './core/errors.js';
export type { FrameReport } from './core/frame-report.js';
