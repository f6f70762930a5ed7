/** A scan that is stopped in its run folder, and resumed there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { finishRun } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import { createJobFolder, openJob, resumeRun, runJob } from './job.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-corpus-job-'));
afterAll(() => rmSync(place, { recursive: true }));
process.env.SUPERSTIM_CACHE = join(place, 'cache');
const file = join(place, 'a.txt');
writeFileSync(
  file,
  Array.from({ length: 500 }, (_, i) => `What did you say to number ${i}? Nobody came.`).join(' '),
);
const job = { task: 'corpus', unit: 'L2.H5', files: [file], top: 5 } as const;

async function scan(signal?: AbortSignal, onCandidate?: () => void) {
  const opened = await finishRun(openJob<'corpus'>(job));
  const folder = createJobFolder(opened, join(place, 'runs'));
  const run = runJob(opened, folder, signal);
  return finishRun(run, ({ kind }) => kind === 'candidate' && onCandidate?.());
}

async function resume(path: string) {
  const resumed = await finishRun(resumeRun(path));
  return finishRun(runJob(resumed, resumed.folder, undefined, resumed.earlier));
}

it('a scan that was stopped is resumed where it was, once', async () => {
  const { run: _, cost, ...whole } = await scan();
  const controller = new AbortController();
  const stopped = await scan(controller.signal, () => controller.abort());
  expect(stopped.cost.evaluations).toBeLessThan(cost.evaluations);
  const checkpoint = join(stopped.run, 'checkpoint.json');
  const kept = readFileSync(checkpoint, 'utf8');

  writeFileSync(checkpoint, kept.slice(0, -20));
  await expect(resume(stopped.run)).rejects.toThrow(`${checkpoint} is damaged`);
  writeFileSync(checkpoint, kept.replace(`"bytes":${whole.corpus.bytes}`, '"bytes":7'));
  await expect(resume(stopped.run)).rejects.toThrow('the files of the corpus have changed');
  writeFileSync(checkpoint, kept);

  const { evaluations, token_layers } = cost;
  expect(await resume(stopped.run)).toMatchObject({ ...whole, cost: { evaluations, token_layers } });
  const reading = readRun(stopped.run);
  expect(reading).toMatchObject({ state: 'done', frontier: whole.frontier, missing: [] });
  const times = reading.events.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  await expect(resume(stopped.run)).rejects.toThrow('is finished: there is nothing left to do');
  expect(readRun(stopped.run).state).toBe('done');
});
