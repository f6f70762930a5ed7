/** @file Runs longer than anyone makes, by the writer that all runs have. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScoredText } from '../../src/core/scored-text.js';
import { encodeEvent } from '../../src/runs/event-codec.js';
import type { EventBody, RunEvent } from '../../src/runs/events.js';
import { createRunFolder } from '../../src/runs/run-folder.js';

const EVENTS = 50_000;
const CANDIDATES = 5000;

/** A run of 50,000 events, a tenth of them candidates, and one whose frontier has 5,000 texts. */
export function longRuns(folder: string): Record<string, string> {
  const events = Array.from({ length: EVENTS - 2 }, (_, i): EventBody => {
    if (i % 10 > 0) return progress(i);
    // Better and better, so that most leave the frontier again.
    const share = i / EVENTS;
    const nats = 1 + 5 * fraction(i * 0.618);
    return candidate(i, nats, 2 * nats * share + fraction(i * 0.7548), fraction(i * 0.5698));
  });
  // As the text gets more probable and stronger its margin falls: nothing is beaten.
  const frontier = Array.from({ length: CANDIDATES }, (_, i): EventBody => {
    const share = i / CANDIDATES;
    return candidate(i, 1 + 5 * share, 1 + 8 * share, fraction(i * 0.618));
  });
  return {
    [`${EVENTS} events`]: write(folder, events),
    [`${CANDIDATES} candidates`]: write(folder, frontier),
  };
}

function write(folder: string, bodies: readonly EventBody[]): string {
  const unit = 'L2.H5';
  const run = createRunFolder(folder, {
    command: ['superstim', 'text', '--unit', unit],
    job: { task: 'text', unit, seed: 0 },
    versions: {},
    model: { name: 'books-lm', hash: '' },
  });
  const all: EventBody[] = [
    { kind: 'started', task: 'text', unit, method: 'auto' },
    ...bodies,
    { kind: 'finished', reason: 'done', result: null },
  ];
  run.close();
  // `append` flushes each event, which takes minutes for so many; the lines are the same.
  const lines = all.map((body, i) => `${encodeEvent({ ...body, at: i / 100 } as RunEvent)}\n`);
  appendFileSync(join(run.path, 'events.jsonl'), lines.join(''));
  return run.path;
}

function candidate(i: number, cross_entropy: number, z: number, margin: number): EventBody {
  const text = ` text ${i} as long as twelve tokens are, give or take`;
  const scored: ScoredText = {
    text,
    token_ids: Array(12).fill(i % 4096),
    cross_entropy,
    raw: z,
    z,
    margin,
    rank: 1,
  };
  return { kind: 'candidate', source: 'search', candidate: scored, operator: 'swap' };
}

function progress(done: number): EventBody {
  const rate = { rate: 900, rate_unit: 'evaluations', seconds_left: 10 };
  return { kind: 'progress', source: 'search', budget: 'evaluations', done, total: EVENTS, ...rate };
}

function fraction(value: number): number {
  return value - Math.floor(value);
}
