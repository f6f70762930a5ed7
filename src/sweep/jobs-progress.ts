/** @file How far a sweep is, as an event. */
import type { EventBody } from '../runs/events.js';

/** @param done - jobs, of `total` @param note - a few words for the progress bar */
export const jobsProgress = (done: number, total: number, note: string): EventBody => ({
  kind: 'progress',
  source: 'search',
  budget: 'jobs',
  done,
  total,
  rate: null,
  rate_unit: 'jobs',
  seconds_left: null,
  note,
});
