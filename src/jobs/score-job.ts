/** @file The tasks `score` and `calibrate`: what a text does to units, and what is usual for them. */
import { type CalibrationResult, calibrateUnits } from '../text/readouts/calibrate-units.js';
import { checkScore, type ScoreResult, scoreText } from '../text/score.js';
import { openSession } from './open-subject.js';
import type { Task } from './task.js';

export const scoreTask: Task<'score', ScoreResult> = {
  keeps: false,
  places: ['model', 'calibrationText'],
  async *open(job, signal) {
    const { text, units, ablate } = job;
    const options = { ...(yield* openSession(job, signal)), text, units, ablate };
    checkScore(options);
    return {
      model: { name: options.model.name, hash: options.modelHash },
      begin: ({ signal }) => scoreText({ ...options, signal }),
    };
  },
};

export const calibrateTask: Task<'calibrate', CalibrationResult> = {
  keeps: false,
  places: ['model', 'calibrationText'],
  async *open(job, signal) {
    const options = { ...(yield* openSession(job, signal)), units: job.units };
    return {
      model: { name: options.model.name, hash: options.modelHash },
      begin: ({ signal }) => calibrateUnits({ ...options, signal }),
    };
  },
};
