/** @file The task `calibrate`: what is usual for units. */
import { z } from 'zod';
import type { Run } from '../runs/events.js';
import type { CalibrationResult } from '../text/readouts/calibrate-units.js';
import { name, probe } from './fields.js';
import { defineTask, type Opened } from './task.js';

const schema = z
  .strictObject({
    task: z.literal('calibrate'),
    ...probe,
    units: z.array(name).max(100_000).default([]),
    /** All heads, neurons and experts of the model. */
    all: z.boolean().default(false),
  })
  .refine(({ units, all }) => all || units.length > 0, {
    message: 'name at least one, or ask for `all`',
    path: ['units'],
  });

export const calibrateTask = defineTask({
  schema,
  reads: 'text',
  keeps: false,
  pathFields: ['model', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<CalibrationResult>> {
    const { calibrateUnits } = await import('../text/readouts/calibrate-units.js');
    const { openSession, recordedModel } = await import('./open-text-model.js');
    const options = { ...(yield* openSession(job, signal, given.model)), units: job.units, all: job.all };
    return {
      model: recordedModel(options),
      begin: ({ signal }) => calibrateUnits({ ...options, signal }),
    };
  },
});
