/** @file `superstim sweep` in one process: killed in the middle, and continued by the same command. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { SweepDocument } from '../../src/sweep/sweep-file.js';
import { bin, end, start } from '../helpers/command.js';
import { env, json, place, superstim } from '../helpers/superstim.js';
import { jobLines, logOf, outcomes, smallJobs } from '../helpers/sweeps.js';

it('continues after kill -9: what is done stays, what was found is kept, the results are the same', async () => {
  const corpus = join(place, 'natural.txt');
  writeFileSync(corpus, 'The quick brown fox jumps over the lazy dog. '.repeat(200));
  const jobs = smallJobs(4, corpus);
  // In the order of the layers: the last is killed.
  Object.assign(jobs[3]!, { evaluations: 600 });
  const file = join(place, 'jobs.jsonl');
  writeFileSync(file, jobLines(jobs));
  const [whole, killed] = [join(place, 'whole'), join(place, 'killed')];
  const child = start([bin, 'sweep', file, '--out', killed], env);
  const ended = end(child);
  const log = join(killed, '0004-L3.H3', 'events.jsonl');
  const found = () =>
    existsSync(log) && logOf(killed, '0004-L3.H3').some((line) => line.includes('candidate'));
  while (!found()) await sleep(10);
  child.kill('SIGKILL');
  expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  const before = logOf(killed, '0004-L3.H3');
  const first = statSync(join(killed, '0001-L0.H0', 'events.jsonl'));

  const [{ jobs: states }] = await Promise.all([
    json<SweepDocument>('sweep', file, '--out', killed),
    json<SweepDocument>('sweep', file, '--out', whole),
  ]);
  expect(states.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
  expect(statSync(join(killed, '0001-L0.H0', 'events.jsonl'))).toMatchObject({ mtimeMs: first.mtimeMs });
  expect(logOf(killed, '0004-L3.H3').slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  expect(outcomes(killed)).toEqual(outcomes(whole));
});

it('says what is wrong with the request', async () => {
  const refused = async (...flags: string[]) => (await superstim(['sweep', ...flags])).stderr;
  expect(await refused()).toContain('needs a file with jobs, or --units and --template');
  expect(await refused(join(place, 'none.jsonl'))).toMatch(/^error: could not read .*none\.jsonl: /);
});
