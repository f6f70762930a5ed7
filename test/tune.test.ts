/** @file `superstim tune` as users run it: a kill at any moment changes nothing of what a resumed run ends with. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { TuneResult } from '../src/rl/tune.js';
import { readRun } from '../src/runs/read-run.js';
import { bin, type Ended, end, start } from './helpers/command.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-tune-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const STEPS = 8;
const flags = ['--unit', 'L1.H2', '--steps', `${STEPS}`, '--batch', '32', '--length', '3', '--rank', '1'];
const tune = (out: string, ...more: string[]) =>
  start([bin, 'tune', ...flags, '--checkpoint-every', '2', '--out', join(root, out), '--json', ...more]);

function finished({ code, stdout, stderr }: Ended): TuneResult & { run: string } {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as TuneResult & { run: string };
}

const stepsOf = (run: string) => readRun(run).events.filter((event) => event.kind === 'step');

/** Waits until a run in `out` has so many steps; its folder. */
async function reached(out: string, steps: number): Promise<string> {
  for (;;) {
    const [name] = existsSync(join(root, out)) ? readdirSync(join(root, out)) : [];
    const run = join(root, out, name ?? '');
    if (existsSync(join(run, 'events.jsonl')) && stepsOf(run).length >= steps) return run;
    await sleep(20);
  }
}

/** Everything that training changed, without what the clock wrote. */
function learned(run: string) {
  const checkpoint = readFileSync(join(run, 'checkpoint.safetensors'));
  return {
    adapter: readFileSync(join(run, 'adapter', 'adapter_model.safetensors')),
    state: checkpoint.subarray(8 + Number(checkpoint.readBigUInt64LE())),
  };
}

describe('superstim tune', () => {
  it('ends the same whether killed and resumed or not', async () => {
    const whole = finished(await end(tune('whole')));
    expect(whole).toMatchObject({ unit: 'L1.H2', steps: STEPS, samples: { count: 256 } });
    expect(stepsOf(whole.run).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

    const child = tune('killed');
    const ended = end(child);
    // Anywhere in the middle, on a checkpoint or between two.
    const run = await reached('killed', 2 + Math.floor(Math.random() * 5));
    child.kill('SIGKILL');
    await ended;
    expect(readRun(run).state).toBe('open');

    const resumed = finished(await end(start([bin, 'resume', run, '--json'])));
    expect(resumed.run).toBe(run);
    // In the log, the kill leaves no trace.
    expect(stepsOf(run).map(({ step, metrics }) => [step, metrics])).toEqual(
      stepsOf(whole.run).map(({ step, metrics }) => [step, metrics]),
    );
    expect(learned(run)).toEqual(learned(whole.run));
    expect(resumed.samples).toEqual(whole.samples);
    expect(resumed.frontier).toEqual(whole.frontier);
    expect(readFileSync(join(run, 'frontier.json'))).toEqual(readFileSync(join(whole.run, 'frontier.json')));

    const again = await end(start([bin, 'resume', run]));
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is finished') });
  }, 600_000);

  it('keeps everything at Ctrl-C', async () => {
    const child = tune('stopped', '--steps', '10000');
    const ended = end(child);
    await reached('stopped', 3);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    const result = JSON.parse(stdout) as TuneResult & { run: string };
    expect(result.samples).toBeNull();
    expect(result.frontier.length).toBeGreaterThan(0);
    expect(readRun(result.run)).toMatchObject({ state: 'interrupted', frontier: result.frontier });
    expect(learned(result.run).adapter.length).toBeGreaterThan(0);
  }, 300_000);

  it.each([
    [['--batch', '1'], 2, /--batch.*from 2 to 65536/],
    [
      ['--length', '300'],
      2,
      /does not fit the context of 256 tokens, one of which is BOS, of the model books-lm/,
    ],
    [['--targets', 'q_porj'], 1, /no matrix of the model is called "q_porj".*did you mean "q_proj"/],
    [['--unit', 'L9.H0'], 2, /L9\.H0/],
    [['--kl-target', '0'], 2, /--kl-target/],
  ])(
    'refuses %j',
    async (more, code, message) => {
      const ended = await end(tune('refused', ...more));
      expect(ended.stderr).toMatch(message);
      expect(ended.code).toBe(code);
      expect(readdirSync(root)).not.toContain('refused');
    },
    60_000,
  );
});
