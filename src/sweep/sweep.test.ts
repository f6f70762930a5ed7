import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { finishRun } from '../runs/events.js';
import { grouped } from './grouping.js';
import { readJobLines } from './job-list.js';
import { runSweep } from './run-sweep.js';
import { readSweep, Sweep } from './sweep-file.js';
import { templateJobs } from './template-jobs.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-sweep-'));
afterAll(() => rmSync(place, { recursive: true }));

const NEVER = new AbortController().signal;
const score = (unit: string) => ({ task: 'score', units: [unit], text: 'What?', raw: true });

it('puts jobs of one model, task and layer together', () => {
  const jobs = ['L1.H0', 'L0.H0', '-L1.N3', 'no unit', 'L1.H2'].map((unit) => ({ task: 'text', unit }));
  const entries = [
    ...jobs,
    { task: 'text', model: 'other', unit: 'L1.H1' },
    { task: 'corpus', unit: 'L1.H1' },
  ];
  expect(grouped(entries.map((job) => ({ job }))).map(({ job }) => job.unit)).toEqual([
    ...['L1.H0', '-L1.N3', 'L1.H2', 'L0.H0', 'no unit', 'L1.H1', 'L1.H1'],
  ]);
});

describe('the jobs of a sweep', () => {
  const file = join(place, 'jobs.jsonl');
  const reading = (text: string) => {
    writeFileSync(file, text);
    return readJobLines(file);
  };

  it('are lines of a file', async () => {
    expect(await reading(`${JSON.stringify(score('L0.H1'))}\n\n`)).toEqual([score('L0.H1')]);
    await expect(reading('\n{"task":"txt"}')).rejects.toThrow('jobs.jsonl, line 2: ');
    await expect(reading('{"task"')).rejects.toThrow('jobs.jsonl, line 1 is no JSON');
    await expect(reading('\n')).rejects.toThrow('has no job');
  });

  it('are one for each unit that a pattern means', async () => {
    const named = async (pattern: string, template: object) =>
      (await finishRun(templateJobs(pattern, template))) as { unit?: string; units?: string[] }[];
    const heads = await named('L*.H*', { task: 'text' });
    expect([heads.length, heads.at(-1)!.unit]).toEqual([32, 'L3.H7']);
    const neurons = await named('L1-2.N9-10', { task: 'score', text: 'a' });
    expect(neurons.map(({ units }) => units)).toEqual([['L1.N9'], ['L1.N10'], ['L2.N9'], ['L2.N10']]);
    const channels = await named('block1_conv1:1-2', { task: 'image' });
    expect(channels.map(({ units }) => units)).toEqual([['block1_conv1:1'], ['block1_conv1:2']]);
    await expect(named('L9.H*', { task: 'text' })).rejects.toThrow('"L9.H*" matches no unit');
    await expect(named('L*.H*', {})).rejects.toThrow('must be one of');
  });
});

it('sets aside what fails, or ends its process again and again, and computes the rest', async () => {
  const folder = join(place, 'sweep');
  const jobs = [score('L1.H99'), score('L0.H1'), score('L0.H2')];
  const sweep = Sweep.open(folder, jobs);
  expect(() => Sweep.open(folder, jobs)).toThrow('is being written by process');
  sweep.update([['0002-L0.H1', { state: 'running', attempts: 3 }]]);
  const { jobs: ended } = await finishRun(runSweep(sweep, { signal: NEVER }));
  sweep.close();
  expect(readSweep(folder).jobs).toEqual(ended);
  expect(ended.map(({ state, error }) => [state, error])).toEqual([
    ['failed', expect.stringMatching(/^L1\.H99 is outside this model/)],
    ['failed', expect.stringContaining('ended 3 times')],
    ['done', null],
  ]);
  expect(() => Sweep.open(folder, jobs.slice(1))).toThrow('has a sweep of other jobs');
  const again = Sweep.open(folder, null);
  const { jobs: retried } = await finishRun(runSweep(again, { signal: NEVER }));
  again.close();
  expect(retried.map(({ state }) => state)).toEqual(['failed', 'done', 'done']);
});
