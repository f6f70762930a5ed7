/** @file Jobs as users run them: from a file, once more from a run folder, further; calibrated and explained. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/core/explanation.js';
import { fieldsOf } from '../../src/jobs/read-job.js';
import { jobSchemas, type TaskName } from '../../src/jobs/tasks.js';
import { readRun } from '../../src/runs/read-run.js';
import type { CalibrationResult } from '../../src/text/readouts/calibrate-units.js';
import { bin, end, start } from '../helpers/command.js';
import {
  books,
  env,
  json,
  place,
  runs,
  search,
  sentence,
  superstim,
  type TextDocument,
} from '../helpers/superstim.js';

const small = { length: 6, reference: 'none', calibrationTokens: 1024, baseline: false, finalists: 0 };
const fewTokens = ['--calibration-tokens', '1024'];
const job = { task: 'text', unit: 'L2.N7', method: 'prior', evaluations: 30, seed: 3, ...small };

function jobFile(name: string, contents: unknown): string {
  const file = join(place, name);
  writeFileSync(file, typeof contents === 'string' ? contents : JSON.stringify(contents));
  return file;
}

describe('superstim run', () => {
  it('runs a job file, and the run folder again: the same texts', async () => {
    const first = await json<TextDocument>('run', jobFile('job.json', job), '--out', runs);
    expect(first.frontier.length).toBeGreaterThan(0);
    expect(readRun(first.run).description!.job).toMatchObject(job);
    const [again, other] = await Promise.all([
      json<TextDocument>('run', first.run, '--out', runs),
      json<TextDocument>('run', jobFile('seed.json', { ...job, seed: 4 }), '--out', runs),
    ]);
    expect(again.run).not.toBe(first.run);
    expect(again.frontier).toEqual(first.frontier);
    expect(other.frontier).not.toEqual(first.frontier);
  });

  it('prints what needs no run folder', async () => {
    const explain = {
      task: 'explain',
      text: 'What?',
      unit: 'L1.H3',
      replacements: 1,
      calibrationTokens: 1024,
    };
    const { code, stdout } = await superstim(['run', jobFile('explain.json', explain)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nrivals .*\nz with another token at the peak .*\nwrites most to .*\n$/);
  });

  it.each<[what: string, contents: unknown, code: number, words: string]>([
    ['an unknown field', { ...job, evalutions: 3 }, 2, 'no field "evalutions"; did you mean --evaluations?'],
    ['a wrong value', { ...job, quietOn: 3 }, 2, '--quiet-on: '],
    ['no task', { unit: 'L2.N7' }, 2, 'task must be one of score, '],
    ['no JSON', '{', 1, 'is no JSON'],
  ])('refuses %s', async (what, contents, code, words) => {
    const ended = await superstim(['run', jobFile(`${what}.json`, contents), '--out', join(place, 'none')]);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^error: [^\n]+\n$/) });
    expect(ended.stderr).toContain(words);
  });
});

it('prints a result that could not be kept, and says so', async () => {
  const parent = join(place, 'removed');
  const child = start(
    [bin, 'run', jobFile('removed.json', { ...job, evaluations: 2000 }), '--out', parent, '--json'],
    env,
  );
  const ended = end(child);
  const isWritten = (run: string) => existsSync(join(parent, run, 'events.jsonl'));
  while (!existsSync(parent) || !readdirSync(parent).some(isWritten)) await sleep(20);
  rmSync(parent, { recursive: true });
  const { code, stdout, stderr } = await ended;
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^error: the run folder .* was removed or moved [^\n]+\n$/),
  ]);
  expect((JSON.parse(stdout) as TextDocument).frontier.length).toBeGreaterThan(0);
});

describe('superstim resume', () => {
  it('takes a search further in its folder', async () => {
    const flags = [...books, ...fewTokens, '--length', '6', '--reference', 'none', '--method', 'evolve'];
    const first = await json<TextDocument>(...search('L1.H3', 40, ...flags));
    const further = await json<TextDocument>('resume', first.run, '--evaluations', '50');
    expect(further.run).toBe(first.run);
    expect(further.cost.evaluations).toBeGreaterThan(40);
    expect(further.cost.evaluations).toBeLessThanOrEqual(90);
    expect(further.hypervolume).toBeGreaterThanOrEqual(first.hypervolume);
    expect(readRun(first.run)).toMatchObject({ state: 'done', frontier: further.frontier });
  });

  it('refuses what is no run, and more of a budget for what is no search', async () => {
    expect(await superstim(['resume', place])).toMatchObject({ code: 1, stdout: '' });
    const text = jobFile('natural.txt', 'The quick brown fox jumps over the lazy dog. '.repeat(20));
    const { run } = await json<{ run: string }>(
      ...['corpus', ...books, ...fewTokens, '--unit', 'L1.H3', '--reference', 'none', '--out', runs, text],
    );
    const resumed = (...flags: string[]) => superstim(['resume', run, ...flags]);
    // One after the other: a run has one writer.
    const more = await resumed('--seconds', '3');
    expect(more).toMatchObject({ code: 1, stderr: expect.stringContaining('is no search') });
    expect(await resumed()).toMatchObject({ code: 1, stderr: expect.stringContaining('is finished') });
  });
});

it('superstim calibrate counts units once, for later commands', async () => {
  const text = jobFile('ordinary.txt', 'It was the best of times, it was the worst of times. '.repeat(100));
  const once = () =>
    json<CalibrationResult>(
      'calibrate',
      ...books,
      '--unit',
      'L1.H3',
      '--unit',
      'L2.N7',
      '--calibrate-on',
      text,
    );
  const first = await once();
  expect(first).toMatchObject({
    model: 'books-lm',
    groups: [],
    units: ['L1.H3', 'L2.N7'].map((unit) => ({ unit, source: 'corpus', cached: false })),
  });
  const counted = ({ units }: CalibrationResult) => units.map(({ cached: _, ...unit }) => unit);
  const second = await once();
  expect(second.units.map(({ cached }) => cached)).toEqual([true, true]);
  expect(counted(second)).toEqual(counted(first));
});

it('superstim explain shows the evidence for a text', async () => {
  const { tokens, rivals, substitutions, ablation, unit } = await json<Explanation>(
    ...['explain', ...books, ...fewTokens, ...sentence, '--unit', 'L1.H3', '--replacements', '2'],
  );
  expect([unit, ablation, rivals.length]).toEqual(['L1.H3', null, 7]);
  expect(substitutions.map(({ length }) => length)).toEqual(tokens.map((_, position) => (position ? 2 : 0)));
});

it('docs/jobs.md lists the fields of every task', () => {
  const page = readFileSync(new URL('../../docs/jobs.md', import.meta.url), 'utf8');
  const common = Object.keys(fieldsOf('score')).filter(
    (field) => !['text', 'units', 'ablate', 'raw', 'neuronpedia'].includes(field),
  );
  for (const task of Object.keys(jobSchemas) as TaskName[]) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${task}\` |`)) ?? '';
    const listed = [...row.split('|')[2]!.matchAll(/`(\w+)`/g)].map(([, field]) => field!);
    expect(listed.sort()).toEqual(
      Object.keys(fieldsOf(task))
        .filter((field) => !common.includes(field))
        .sort(),
    );
  }
});
