/** @file The task `score`: what a text does to units. */
import { z } from 'zod';
import type { Run } from '../runs/events.js';
import type { ScoreResult } from '../text/score.js';
import { names, neuronpedia, probe, text } from './fields.js';
import { defineTask, type Opened } from './task.js';

const schema = z
  .strictObject({
    task: z.literal('score'),
    ...probe,
    text,
    units: names,
    /** Also what the predictions lose without each unit. */
    ablate: z.boolean().default(false),
    /** Only raw values, which need no calibration. */
    raw: z.boolean().default(false),
    neuronpedia,
  })
  .refine(({ ablate, raw }) => !(ablate && raw), {
    message: 'needs no calibration, and `ablate` does: one of the two',
    path: ['raw'],
  });

export const scoreTask = defineTask({
  schema,
  reads: 'text',
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<ScoreResult>> {
    const { checkScore, scoreText } = await import('../text/score.js');
    const { openSession, recordedModel } = await import('./open-text-model.js');
    const { publishedFeatures } = await import('./published-features.js');
    const { text, units, ablate, raw, neuronpedia } = job;
    const session = yield* openSession(job, signal, given.model);
    const published = yield* publishedFeatures(units, neuronpedia, signal);
    const { scorers } = given.model ?? {};
    const options = { ...session, text, units, ablate, raw, published, ...(scorers && { scorers }) };
    checkScore(options);
    return {
      model: recordedModel(options),
      begin: ({ signal }) => scoreText({ ...options, signal }),
    };
  },
});
