/** @file The tasks `score`, `explain` and `calibrate`: what a text does to units, why, and what is usual for them. */
import { type CalibrationResult, calibrateUnits } from '../text/readouts/calibrate-units.js';
import { type ExplainResult, explainText } from '../text/readouts/explain.js';
import { checkScore, type ScoreResult, scoreText } from '../text/score.js';
import { openSession, recordedModel } from './open-subject.js';
import { publishedFeatures } from './published-features.js';
import type { Task } from './task.js';

export const scoreTask: Task<'score', ScoreResult> = {
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given) {
    const { text, units, ablate, raw, neuronpedia } = job;
    const session = yield* openSession(job, signal, given.model);
    const published = yield* publishedFeatures(units, neuronpedia, signal);
    const options = { ...session, text, units, ablate, raw, published };
    checkScore(options);
    return {
      model: recordedModel(options),
      begin: ({ signal }) => scoreText({ ...options, signal }),
    };
  },
};

export const explainTask: Task<'explain', ExplainResult> = {
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given) {
    const { text, unit, replacements, ablate } = job;
    const session = yield* openSession(job, signal, given.model);
    checkScore({ ...session, text, units: [unit] });
    const options = { ...session, unit, text, replacements, ablate };
    return {
      model: recordedModel(options),
      begin: ({ signal }) => explainText({ ...options, signal }),
    };
  },
};

export const calibrateTask: Task<'calibrate', CalibrationResult> = {
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given) {
    const options = { ...(yield* openSession(job, signal, given.model)), units: job.units, all: job.all };
    return {
      model: recordedModel(options),
      begin: ({ signal }) => calibrateUnits({ ...options, signal }),
    };
  },
};
