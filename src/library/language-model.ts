/** @file A language model that is open: what its units respond to, with the command line's defaults. */
import type { LoadedModel } from '../jobs/open-text-model.js';
import type { TaskReading } from '../jobs/tasks.js';
import { finishRun } from '../runs/events.js';
import { KeptScorers } from '../text/kept-scorers.js';
import type { TextModel } from '../text/lm/model.js';
import { textDefaults } from '../text/names.js';
import type { CalibrationResult } from '../text/readouts/calibrate-units.js';
import type { ExplainResult } from '../text/readouts/explain.js';
import type { TextUnits } from '../text/readouts/list-units.js';
import type { Session } from '../text/readouts/session.js';
import type { ScoreResult } from '../text/score.js';
import { type FieldsOf, type Kept, type KeptResult, runTask, type Stoppable } from './run-task.js';
import { Running } from './running.js';

/** What is asked of a model before any text or unit: `reference`, `measure`, `at` … */
export interface SessionFields extends FieldsOf<'calibrate', 'units' | 'all'>, Stoppable {}
/** Further fields of a job `score`: `reference`, `measure`, `at`, `ablate` … */
export interface ScoreFields extends FieldsOf<'score', 'text' | 'units'>, Stoppable {}
/** Further fields of a job `explain`: those of a score, and `replacements`. */
export interface ExplainFields extends FieldsOf<'explain', 'text' | 'unit'>, Stoppable {}
/** Further fields of a job `calibrate`: `calibrationText`, `measure` … */
export interface CalibrateFields extends FieldsOf<'calibrate', 'units'>, Stoppable {}
/** Further fields of a search: `seconds` or `evaluations`, `length`, `method`, `reference` … */
export interface SearchFields extends FieldsOf<'text', 'unit'>, Kept {}
/** Further fields of a scan: `sentences`, `length`, `top` … */
export interface CorpusFields extends FieldsOf<'corpus', 'unit' | 'files'>, Kept {}
/** Further fields of a tuning: `steps`, `beta` or `klTarget`, `rank` … */
export interface TuneFields extends FieldsOf<'tune', 'unit'>, Kept {}

/** Further fields of an atlas: `seconds` or `evaluations`, `length`, `naturalText`, `reference` … */
export interface AtlasFields extends FieldsOf<'atlas', 'units'>, Kept {}

/** A search's result, with the path of its run folder where `out` asked for one. */
export type SearchOutcome = KeptResult<'text'>;
export type CorpusOutcome = KeptResult<'corpus'>;
export type TuneOutcome = KeptResult<'tune'>;
export type AtlasOutcome = KeptResult<'atlas'>;

/**
 * Opens a language model once, for any number of questions.
 *
 * ```ts
 * const lm = await openModel('books-lm');
 * const { units } = await lm.score('What does it mean?', ['L2.H5']);
 * ```
 *
 * @param name - an embedded model's name, a folder in Hugging Face's layout, or a hub id, which is downloaded
 * @param options - `family`: of architectures, that it is read as; the one that it names where none is given
 * @throws UserError when there is no such model, or it cannot be read
 */
export function openModel(
  name: string = textDefaults.model,
  { signal, family }: Stoppable & { readonly family?: string } = {},
): Running<LanguageModel> {
  return new Running(async function* () {
    const { openTextModel } = await import('../jobs/open-text-model.js');
    return new LanguageModel(
      yield* openTextModel(name, family ?? null, signal ?? new AbortController().signal),
    );
  });
}

/** An open language model. Options are the fields of the task's job (its schema in `src/jobs`), with its defaults. */
export class LanguageModel {
  private readonly scorers = new KeptScorers();
  private readonly loaded: LoadedModel;

  constructor(loaded: LoadedModel) {
    this.loaded = { ...loaded, scorers: this.scorers };
  }

  get name(): string {
    return this.model.name;
  }

  /** Architecture, weights and tokenizer, for the functions of `superstimulus/text`. */
  get model(): TextModel {
    return this.loaded.model;
  }

  /** How many heads and neurons each layer has. */
  async units(): Promise<TextUnits> {
    const { unitsOf } = await import('../text/readouts/list-units.js');
    return unitsOf(this.model);
  }

  /** The model with everything that is asked of it, for the functions of `superstimulus/text`. */
  async session(options: SessionFields = {}): Promise<Session> {
    const { readProbe } = await import('../jobs/read-job.js');
    const { openSession } = await import('../jobs/open-text-model.js');
    const { signal, ...fields } = options;
    const probe = readProbe({ ...fields, model: this.name, family: this.loaded.family });
    const session = openSession(probe, signal ?? new AbortController().signal, this.loaded);
    return { ...(await finishRun(session)), ...(signal && { signal }) };
  }

  /** What a text does to units, token by token. A graph is compiled once for all texts of a length. */
  score(text: string, units: string | readonly string[], options: ScoreFields = {}): Running<ScoreResult> {
    return this.run('score', { text, units: [units].flat() }, options);
  }

  /** Why a text excites a unit: rivals, attention, what it writes, what each token contributes. */
  explain(text: string, unit: string, options: ExplainFields = {}): Running<ExplainResult> {
    return this.run('explain', { text, unit }, options);
  }

  /** Searches text that excites a unit, from probable to strong; 20 seconds unless another budget is given. */
  search(unit: string, options: SearchFields = {}): Running<SearchOutcome> {
    return this.run('text', { unit }, options);
  }

  /** Mean and standard deviation of units over calibration text. */
  calibrate(units: string | readonly string[], options: CalibrateFields = {}): Running<CalibrationResult> {
    return this.run('calibrate', { units: [units].flat() }, options);
  }

  /** The natural text that excites a unit most. @param files - text files, or folders of them */
  corpus(
    unit: string,
    files: string | readonly string[],
    options: CorpusFields = {},
  ): Running<CorpusOutcome> {
    return this.run('corpus', { unit, files: [files].flat() }, options);
  }

  /** Teaches a copy of the model to write what excites a unit; its adapters are kept where `out` is given. */
  tune(unit: string, options: TuneFields = {}): Running<TuneOutcome> {
    return this.run('tune', { unit }, options);
  }

  /**
   * Searches texts for many units at once. The result has each unit's strongest text; every text and its evidence are in
   * the run folder where `out` asks for one.
   *
   * @param units - names or patterns: `L*.H*`, `L2.N0-99`
   */
  atlas(units: string | readonly string[], options: AtlasFields = {}): Running<AtlasOutcome> {
    return this.run('atlas', { units: [units].flat() }, options);
  }

  /** Frees what the engines keep of the weights. The model can still be used: they are then read again. */
  async dispose(): Promise<void> {
    const { releaseWeights } = await import('../engine/compile.js');
    await this.scorers.dispose();
    await releaseWeights(this.model.weights);
  }

  private run<T extends TaskReading<'text'>>(
    task: T,
    named: Readonly<Record<string, unknown>>,
    options: Kept,
  ): Running<KeptResult<T>> {
    return runTask(task, { model: this.name, family: this.loaded.family, ...named }, options, {
      model: this.loaded,
    });
  }
}
