/** What commands refuse before anything is loaded or computed, as the user reads it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { explainFailure } from '../failure.js';
import { createProgram } from '../program.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-refusals-'));
afterAll(() => rmSync(place, { recursive: true }));
const nowhere = join(place, 'nowhere');
const file = join(place, 'file.json');
writeFileSync(file, 'no JSON');
const unknown = join(place, 'unknown.json');
writeFileSync(unknown, '{ "task": "sing" }');
const queue = ['--queue', 'redis://localhost:1'];

it.each<[exitCode: number, message: RegExp, words: string[]]>([
  [1, /^could not read .*nowhere: there is no such file/, ['run', nowhere]],
  [1, /file\.json is no JSON: a job is an object such as/, ['run', file]],
  [2, /^task must be one of score, explain, .*, not "sing"$/, ['run', unknown]],
  [2, /^--unit: name at least one, or ask for --all/, ['calibrate']],
  [2, /^--raw: needs no calibration/, ['score', '-t', 'a', '-u', 'L0.H0', '--raw', '--ablate']],
  [2, /^name a queue with --queue/, ['worker']],
  [2, /^the address of a queue is redis:/, ['worker', '--queue', 'http://host']],
  [1, /^could not enter .*nowhere/, ['worker', ...queue, '--models', nowhere]],
  [1, /^could not make the folder .*file\.json/, ['worker', ...queue, '--out', join(file, 'runs')]],
])('%i, %s', async (exitCode, message, words) => {
  const error = await createProgram()
    .parseAsync(words, { from: 'user' })
    .then(
      () => null,
      (error: unknown) => error,
    );
  const failure = explainFailure(error, false);
  expect(failure.message).toMatch(message);
  expect(failure.exitCode).toBe(exitCode);
});
