/** @file The task `explain`: why a text excites a unit. */
import { z } from 'zod';
import type { Run } from '../runs/events.js';
import { textBounds, textDefaults } from '../text/names.js';
import type { ExplainResult } from '../text/readouts/explain.js';
import { name, probe, text, within } from './fields.js';
import { defineTask, type Opened } from './task.js';

const schema = z.strictObject({
  task: z.literal('explain'),
  ...probe,
  text,
  unit: name,
  /** Replacements tried a position; 0 leaves substitutions out. */
  replacements: within(textBounds.replacements).default(textDefaults.replacements),
  /** Also what the predictions lose without the unit. */
  ablate: z.boolean().default(false),
});

export const explainTask = defineTask({
  schema,
  reads: 'text',
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<ExplainResult>> {
    const { explainText } = await import('../text/readouts/explain.js');
    const { checkScore } = await import('../text/score.js');
    const { openSession, recordedModel } = await import('./open-text-model.js');
    const { text, unit, replacements, ablate } = job;
    const session = yield* openSession(job, signal, given.model);
    checkScore({ ...session, text, units: [unit] });
    const options = { ...session, unit, text, replacements, ablate };
    return {
      model: recordedModel(options),
      begin: ({ signal }) => explainText({ ...options, signal }),
    };
  },
});
