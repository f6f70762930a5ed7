/** @file A run's description and some events, for tests of run folders. */
import type { ScoredText } from '../../src/core/scored-text.js';
import type { RunDescription } from '../../src/runs/description.js';
import { finishRun, type RunEvent } from '../../src/runs/events.js';

export const description: RunDescription = {
  command: ['superstim', 'text', '--unit', 'L2.H3'],
  job: { version: 1, task: 'text', unit: 'L2.H3', length: 12, seed: 7 },
  versions: { superstimulus: '0.1.0' },
  model: { name: 'stories260k', hash: 'abc' },
};
export const warning = (at: number, message = `at ${at}`): RunEvent => ({ kind: 'warning', at, message });
export const finished: RunEvent = { kind: 'finished', at: 9, reason: 'done', result: null };
export const scored: ScoredText = {
  text: 'Once',
  token_ids: [5],
  cross_entropy: 2,
  raw: 1,
  z: 3,
  margin: null,
  rank: null,
};

/** The events of a run, and its result. */
export async function collect<Result>(run: AsyncGenerator<RunEvent, Result, void>) {
  const events: RunEvent[] = [];
  const result = await finishRun(run, (event) => events.push(event));
  return { events, result };
}
