/** @file The measures of heads, by name: a new one is a file beside this one, a name in `names.ts` and a line here. */
import type { HeadMeasure } from '../../names.js';
import { attention } from './attention.js';
import { delta, raw } from './delta.js';
import { logits, towardToken } from './logits.js';
import type { HeadMeasurement } from './measurement.js';

export const headMeasurements: Readonly<Record<HeadMeasure, HeadMeasurement>> = {
  delta,
  raw,
  attention,
  logits,
};

/** What about a head is measured: a measure by name, or the signed logit change toward a token. */
export type MeasureChoice = HeadMeasure | { readonly toward: number };

export const measurementOf = (choice: MeasureChoice): HeadMeasurement =>
  typeof choice === 'string' ? headMeasurements[choice] : towardToken(choice.toward);
