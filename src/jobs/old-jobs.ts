/** @file Jobs as run folders of older versions have them, brought up to today's fields. */

import type { JobRecord, RunDescription } from '../runs/description.js';
import type { JsonValue } from '../runs/events.js';
import { JOB_VERSION } from './fields.js';

type Fields = { [field: string]: JsonValue };

/** The job of a run folder as data of today's version, to be read by `readJob`. */
export function fromOldJob({ job, model }: RunDescription): JobRecord {
  if (job.version !== 0) return job;
  const { version: _, task, seed, ...settings } = job;
  const upgrade = upgrades[task];
  return {
    version: JOB_VERSION,
    task,
    ...dropNull({ model: model?.name ?? null, ...(upgrade ? upgrade(settings) : settings), seed: seed ?? 0 }),
  };
}

/** Version 0, by task: `corpus` was the calibration text, `measure` toward a token an object. */
const upgrades: { readonly [task: string]: ((settings: Fields) => Fields) | undefined } = {
  text: ({ corpus = null, texts = [], measure, ...rest }) => ({
    ...rest,
    calibrationText: corpus,
    naturalText: texts,
    measure: measureText(measure),
  }),
  corpus: ({ corpus = null, measure, cut, ...rest }) => ({
    ...rest,
    ...cutFields(cut),
    calibrationText: corpus,
    measure: measureText(measure),
  }),
  tune: ({ calibrateOn = null, measure, rate = null, clip = null, ...rest }) => ({
    ...rest,
    calibrationText: calibrateOn,
    measure: measureText(measure),
    learningRate: rate,
    clipNorm: clip,
  }),
  image: ({ param = null, unit = null, ...rest }) => ({
    ...rest,
    units: typeof unit === 'string' ? unit.split(', ') : null,
    parameterization: param,
  }),
};

function measureText(measure: JsonValue | undefined): JsonValue {
  const toward = typeof measure === 'object' && !Array.isArray(measure) ? measure?.toward : null;
  return typeof toward === 'string' ? `logits:${toward}` : (measure ?? null);
}

function cutFields(cut: JsonValue | undefined): Fields {
  if (typeof cut !== 'object' || cut === null || Array.isArray(cut)) return {};
  return { sentences: cut.unit === 'sentence', length: cut.length ?? null };
}

/** Null meant "as it is by default". */
function dropNull(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
