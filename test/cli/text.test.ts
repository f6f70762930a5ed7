/** @file `superstim text` as users run it: the built command, its streams and exit codes. */
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ScoredText } from '../../src/core/scored-text.js';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { readRun } from '../../src/runs/read-run.js';
import type { ScoreResult } from '../../src/text/score.js';
import { bin, end, start } from '../helpers/command.js';
import {
  books,
  env,
  isNumber,
  json,
  place,
  scored,
  search,
  superstim,
  type TextDocument,
} from '../helpers/superstim.js';

describe('superstim text', () => {
  const asRanked = (texts: readonly ScoredText[]) =>
    texts.every((text, i) => i === 0 || text.cross_entropy >= texts[i - 1]!.cross_entropy);

  it('prints the result as one JSON document and leaves a run folder', async () => {
    const result = await json<TextDocument>(
      ...search('L1.H3', 300, ...books, '--length', '8', '--seed', '5'),
    );
    expect(result).toEqual({
      run: expect.stringMatching(/^.*\/runs\/\d{8}-\d{6}-L1\.H3$/),
      unit: 'L1.H3',
      method: 'auto',
      cost: { seconds: isNumber, evaluations: isNumber, token_layers: isNumber },
      hypervolume: isNumber,
      frontier: expect.any(Array),
      baselines: {
        prior_best: { ...scored, hypervolume: isNumber, evaluations: isNumber },
        corpus_best: null,
      },
      clusters: expect.any(Array),
      measured: null,
      frame: { bos: 'auto', chat: null, before: [expect.any(String)], after: [] },
    });
    expect(result.clusters.length).toBeGreaterThan(0);
    expect(result.frontier.length).toBeGreaterThan(3);
    for (const text of result.frontier) {
      expect(text).toEqual(scored);
      expect(text.token_ids).toHaveLength(8);
    }
    expect(asRanked(result.frontier)).toBe(true);
    expect(result.cost.evaluations).toBeLessThanOrEqual(300);
    expect(result.cost.evaluations).toBeGreaterThan(300 - 64);

    const { description, events, state, frontier, missing } = readRun(result.run);
    expect(missing).toEqual([]);
    expect(state).toBe('done');
    expect(frontier).toEqual(result.frontier);
    expect(description).toMatchObject({
      job: { task: 'text', unit: 'L1.H3', seed: 5, method: 'auto', length: 8, evaluations: 300 },
      model: { name: 'books-lm', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const { run: _, ...rest } = result;
    expect(events.at(-1)).toMatchObject({ kind: 'finished', reason: 'done', result: rest });

    // What a search reports of a text is what `score` says of it.
    const best = result.frontier.reduce((a, b) => (b.z > a.z ? b : a));
    const again = await json<ScoreResult>('score', ...books, '--text', best.text, '--unit', 'L1.H3');
    expect(again.token_ids.slice(1)).toEqual(best.token_ids);
    expect(again.cross_entropy).toBeCloseTo(best.cross_entropy, 3);
    expect(again.units[0]!.peak.z).toBeCloseTo(best.z, 3);
    expect(again.units[0]!.peak.raw).toBeCloseTo(best.raw, 2);
    expect(again.units[0]!.margin).toBeCloseTo(best.margin!, 3);
    expect(again.units[0]!.rank).toBe(best.rank);
  });

  it.each([
    ['evolve', 300],
    ['epo', 1],
    ['prior', 1],
  ])('gives the same frontier for the same seed: %s', async (method, evaluations) => {
    const flags = [...books, '--method', method, '--length', '6', '--reference', 'none', '--seed'];
    const once = (seed: string) => json<TextDocument>(...search('L2.N7', evaluations, ...flags, seed));
    const [first, second] = await Promise.all([once('3'), once('3')]);
    expect(second.frontier).toEqual(first.frontier);
    expect(second.baselines).toEqual(first.baselines);
    expect(second.hypervolume).toBe(first.hypervolume);
    if (method === 'prior') expect((await once('4')).frontier).not.toEqual(first.frontier);
  });

  it('prints texts for people, and nothing else with --quiet', async () => {
    const { code, stdout, stderr } = await superstim([
      ...search('L1.H3', 1, ...books, '--length', '4', '--quiet'),
      ...['--reference', 'none'],
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^L1\.H3: \d+ texts? on the frontier, hypervolume [\d.]+ \([\d,]+ evaluations? in \d+ s\)\n/,
    );
    expect(stdout).toMatch(/\nrun: .*L1\.H3(-\d+)?\n$/);
  });

  it('keeps and prints what was found at Ctrl-C', async () => {
    const out = join(place, 'interrupted');
    const child = start(
      [bin, 'text', ...books, '--unit', 'L1.H3', '--seconds', '60', '--out', out, '--json'],
      env,
    );
    const ended = end(child);
    await someCandidate(out);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toBe(
      'Stopping after this step and keeping what was found; Ctrl-C again to quit at once.\n',
    );
    const result = JSON.parse(stdout) as TextDocument;
    expect(result.frontier.length).toBeGreaterThan(0);
    const { state, frontier, missing } = readRun(result.run);
    expect([state, missing]).toEqual(['interrupted', []]);
    expect(frontier).toEqual(result.frontier);
  });

  it('ends with 130 at a second Ctrl-C too, in the middle of a computation', async () => {
    const out = join(place, 'twice');
    const child = start([bin, 'text', ...books, '--unit', 'L1.H3', '--seconds', '60', '--out', out], env);
    const ended = end(child);
    await someCandidate(out);
    let said = 0;
    // Again as soon as the first is answered.
    child.stderr!.on('data', () => said++ === 0 && child.kill('SIGINT'));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });

  it.runIf(process.platform === 'linux').each(['text', 'score'])(
    '%s ends at once at Ctrl-C while its model is read',
    async (command) => {
      const folder = join(place, `slow-${command}`);
      cpSync(join(embeddedFolder, 'books-lm'), folder, { recursive: true });
      const large = join(folder, 'other.safetensors');
      writeFileSync(large, '');
      truncateSync(large, 2 ** 36);
      const asked = command === 'score' ? ['--text', 'the'] : [];
      const child = start([bin, command, '--model', folder, '--unit', 'L1.H3', ...asked], env);
      const ended = end(child);
      const isRead = () => openFiles(child.pid!).includes(large);
      while (!isRead()) await sleep(20);
      child.kill('SIGINT');
      expect(await ended).toEqual({ code: 130, signal: 'SIGINT', stdout: '', stderr: '' });
    },
  );

  /** What a process has open, by Linux's list. */
  const openFiles = (process: number) =>
    readdirSync(`/proc/${process}/fd`).map((file) => {
      try {
        return readlinkSync(`/proc/${process}/fd/${file}`);
      } catch {
        return null; // Closed meanwhile.
      }
    });

  /** Waits until a run under `out` has found something. */
  async function someCandidate(out: string): Promise<void> {
    for (;;) {
      const [run] = existsSync(out) ? readdirSync(out) : [];
      const log = run === undefined ? '' : join(out, run, 'events.jsonl');
      if (existsSync(log) && readFileSync(log, 'utf8').includes('"kind":"candidate"')) return;
      await sleep(50);
    }
  }
});
