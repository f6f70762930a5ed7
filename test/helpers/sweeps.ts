/** @file Small jobs for sweeps, and what became of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSweep } from '../../src/sweep/sweep-file.js';

/** Searches and scans of a second or less. */
export function smallJobs(count: number, corpus: string, evaluations = 40): object[] {
  const small = { model: 'books-lm', length: 6, reference: 'none', calibrationTokens: 1024 };
  return Array.from({ length: count }, (_, i) => {
    const unit = `L${i % 4}.H${i % 8}`;
    if (i % 3 === 1) return { task: 'corpus', unit, files: [corpus], seed: i, ...small };
    const search = { method: 'evolve', evaluations, baseline: false, finalists: 0 };
    return { task: 'text', unit, seed: i, ...search, ...small };
  });
}

export const jobLines = (jobs: readonly object[]): string =>
  jobs.map((job) => `${JSON.stringify(job)}\n`).join('');

/** The lines of a run's log. */
export const logOf = (sweep: string, id: string): string[] =>
  readFileSync(join(sweep, id, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');

/** Each job's state and frontier, and how often it came to its end. */
export function outcomes(sweep: string) {
  return readSweep(sweep).jobs.map(({ id, state }) => {
    const log = logOf(sweep, id).map((line) => JSON.parse(line) as { kind: string; reason?: string });
    const frontier: unknown = JSON.parse(readFileSync(join(sweep, id, 'frontier.json'), 'utf8'));
    return { id, state, frontier, ends: log.filter(({ reason }) => reason === 'done').length };
  });
}
