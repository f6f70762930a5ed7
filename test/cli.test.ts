/** @file `superstim score` and `superstim text` as users run them: the built command, its streams and exit codes. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../src/engine/safetensors.js';
import type { ScoredText } from '../src/runs/events.js';
import { readRun } from '../src/runs/read-run.js';
import type { ScoreResult } from '../src/text/score.js';
import type { SearchResult } from '../src/text/search/search.js';
import { bin, type Ended, end, notBuilt, start } from './helpers/command.js';
import { relativeError } from './helpers/compare.js';
import { shared } from './helpers/shared.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-test-'));
afterAll(() => rmSync(place, { recursive: true }));

const env = {
  SUPERSTIM_CACHE: join(place, 'cache'),
  HF_HUB_CACHE: join(place, 'hub'),
  HF_HUB_OFFLINE: '1',
};
const superstim = (flags: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  end(start([bin, ...flags], { ...env, ...more }));

/** Runs a command that must succeed, and reads what it prints. */
async function json<T>(...flags: string[]): Promise<T> {
  const { code, stdout, stderr } = await superstim([...flags, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout) as T;
}

type TextDocument = SearchResult & { run: string };

const books = ['--model', 'books-lm'];
const sentence = ['--text', 'It was the best of times, it was the worst of times.'];
const runs = join(place, 'runs');
const search = (unit: string, evaluations: number, ...more: string[]) => [
  'text',
  '--unit',
  unit,
  '--evaluations',
  String(evaluations),
  '--out',
  runs,
  ...more,
];

const isNumber = expect.any(Number);
const scored = {
  text: expect.any(String),
  token_ids: expect.any(Array),
  cross_entropy: isNumber,
  raw: isNumber,
  z: isNumber,
  margin: isNumber,
  rank: isNumber,
};

describe.skipIf(notBuilt)('superstim score (needs npm run build)', () => {
  it('prints the document of DESIGN section 5', async () => {
    const result = await json<ScoreResult>(
      'score',
      ...books,
      ...sentence,
      '--unit',
      'L1.H3',
      '--unit',
      'L2.N7',
    );
    const { tokens, token_ids, logprobs, cross_entropy, units } = result;
    expect(Object.keys(result)).toEqual([
      'model',
      'tokens',
      'token_ids',
      'logprobs',
      'cross_entropy',
      'units',
    ]);
    expect(result.model).toBe('books-lm');
    expect(tokens.slice(1).join('').trim()).toBe(sentence[1]);
    expect(token_ids.every(Number.isInteger)).toBe(true);
    expect([tokens.length, logprobs.length]).toEqual([token_ids.length, token_ids.length]);
    const [first, ...rest] = logprobs as [null, ...number[]];
    expect(first).toBeNull();
    expect(rest.every((logprob) => logprob < 0)).toBe(true);
    expect(cross_entropy).toBeCloseTo(-rest.reduce((sum, x) => sum + x, 0) / rest.length, 5);

    expect(units.map(({ unit }) => unit)).toEqual(['L1.H3', 'L2.N7']);
    for (const unit of units) {
      expect(Object.keys(unit)).toEqual(['unit', 'raw', 'z', 'peak', 'margin', 'rank']);
      expect([unit.raw.length, unit.z.length]).toEqual([tokens.length, tokens.length]);
      expect(unit.z[0]).toBeNull();
      const { position, raw, z } = unit.peak;
      expect(z).toBe(Math.max(...(unit.z.slice(1) as number[])));
      expect([unit.z[position], unit.raw[position]]).toEqual([z, raw]);
      expect(unit.rank).toBeGreaterThanOrEqual(1);
      expect(unit.margin! > 0).toBe(unit.rank === 1);
    }
  });

  it('prints a table for people, coloured where that is wanted', async () => {
    const flags = ['score', ...books, ...sentence, '--unit', 'L1.H3'];
    const plain = await superstim(flags, { NO_COLOR: '1', FORCE_COLOR: '1' });
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toMatch(/^token +ln p +L1\.H3\n/);
    expect(plain.stdout).toMatch(/\n[\d.]+ nats a token\nL1\.H3 {2}z -?[\d.]+ at token \d+ \(raw /);
    expect(plain.stdout).not.toContain('\x1b');
    const colored = await superstim(flags, { FORCE_COLOR: '1' });
    expect(colored.stdout).toContain('\x1b[1m');
    expect((await superstim([...flags, '--no-color'], { FORCE_COLOR: '1' })).stdout).toBe(plain.stdout);
  });

  it('measures what the options ask for', async () => {
    const score = async (...flags: string[]) =>
      (await json<ScoreResult>('score', ...books, ...sentence, '--unit', 'L1.H3', ...flags)).units[0]!;
    const plain = await score('--reference', 'none');
    expect(plain).toMatchObject({ margin: null, rank: null });
    const attention = await score('--measure', 'attention', '--reference', 'none');
    expect(attention.raw[0]).toBe(0);
    expect(attention.raw.every((share) => share >= 0 && share <= 1)).toBe(true);
    const toward = await score('--measure', 'logits: the');
    expect(toward.raw.some((change) => change < 0)).toBe(true);

    const corpus = join(place, 'corpus.txt');
    writeFileSync(corpus, 'The quick brown fox jumps over the lazy dog, again and again. '.repeat(80));
    const calibrated = await score('--calibrate-on', corpus);
    expect(calibrated.raw).toEqual(plain.raw);
    expect(calibrated.z).not.toEqual(plain.z);
  });
});

interface Case {
  text: string;
  input_ids: number[];
  token_logprobs: number[];
  /** [layer][head][position] */
  head_delta_norm: number[][][];
  /** [layer][neuron 0 or 10][position] */
  neurons_0_and_10: number[][][];
}

const stories = shared('models/stories260k');
const reference = shared('fixtures/stories260k-expected.json');
const noStories = notBuilt || stories.missing || reference.missing;

describe.skipIf(noStories)(reference.title('superstim score on stories260k'), () => {
  const { cases } = noStories
    ? { cases: [] }
    : (JSON.parse(readFileSync(reference.path, 'utf8')) as { cases: Case[] });

  it.each(cases)('agrees with PyTorch: $text', async (expected) => {
    const layers = expected.head_delta_norm.map((_, layer) => layer);
    const units = layers.flatMap((l) => [
      ...expected.head_delta_norm[l]!.map((_, h) => `L${l}.H${h}`),
      `L${l}.N0`,
      `L${l}.N10`,
    ]);
    const result = await json<ScoreResult>(
      ...['score', '--model', stories.path, '--text', expected.text, '--reference', 'none'],
      ...units.flatMap((unit) => ['--unit', unit]),
    );
    expect(result.token_ids).toEqual(expected.input_ids);
    expect(result.logprobs[0]).toBeNull();
    expect(relativeError(result.logprobs.slice(1) as number[], expected.token_logprobs)).toBeLessThan(1e-4);
    const values = layers.flatMap((l) => [...expected.head_delta_norm[l]!, ...expected.neurons_0_and_10[l]!]);
    for (const [i, { raw }] of result.units.entries())
      expect(relativeError(raw, values[i]!)).toBeLessThan(1e-4);
  });
});

describe.skipIf(notBuilt)('superstim text (needs npm run build)', () => {
  const asRanked = (texts: readonly ScoredText[]) =>
    texts.every((text, i) => i === 0 || text.cross_entropy >= texts[i - 1]!.cross_entropy);

  it('prints the document of DESIGN section 5 and leaves a run folder', async () => {
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
      task: 'text',
      unit: 'L1.H3',
      seed: 5,
      settings: { method: 'auto', length: 8, evaluations: 300 },
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
      /^L1\.H3: \d+ texts on the frontier, hypervolume [\d.]+ \(\d+ evaluations in \d+ s\)\n/,
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

const embedded = fileURLToPath(new URL('../models/books-lm', import.meta.url));

/** A copy of the embedded model, changed for the worse. */
function broken(name: string, change: (folder: string) => void): string {
  const folder = join(place, name);
  mkdirSync(folder);
  for (const file of readdirSync(embedded)) {
    const [from, to] = [join(embedded, file), join(folder, file)];
    if (file.endsWith('.safetensors')) symlinkSync(from, to);
    else cpSync(from, to);
  }
  change(folder);
  return folder;
}

function withConfig(changes: Record<string, unknown>): (folder: string) => void {
  return (folder) => {
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  };
}

describe.skipIf(notBuilt)('bad input (needs npm run build)', () => {
  /** One sentence on stderr, nothing on stdout, no stack. */
  async function complaint(...flags: string[]): Promise<{ code: number | null; sentence: string }> {
    const { code, stdout, stderr } = await superstim(flags);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    return { code, sentence: stderr.slice('error: '.length).trimEnd() };
  }
  const score = (...flags: string[]) => complaint('score', ...sentence, ...flags);
  const text = (...flags: string[]) =>
    complaint('text', ...books, '--evaluations', '10', '--out', runs, ...flags);

  it.each<[what: string, flags: string[], sentence: string]>([
    [
      'an unknown unit',
      ['--unit', 'L1.X3'],
      '"L1.X3" names no unit of this model: it has heads L0.H0 to L3.H7',
    ],
    ['a channel', ['--unit', 'conv1:3'], '"conv1:3" names no unit of this model'],
    [
      'a layer out of range',
      ['--unit', 'L9.H0'],
      'L9.H0 is outside this model: its layers are numbered 0 to 3',
    ],
    [
      'a head out of range',
      ['--unit', 'L0.H8'],
      'L0.H8 is outside this model: its heads are numbered 0 to 7',
    ],
    ['a token that is none', ['--unit', 'logit: xyzzy'], '" xyzzy" is not one token of this model'],
    [
      'an unknown measure',
      ['--unit', 'L0.H0', '--measure', 'size'],
      'It must be delta, raw, attention, logits or',
    ],
    [
      'an unknown reference class',
      ['--unit', 'L0.H0', '--reference', 'class'],
      'the reference class "class" is none of',
    ],
    [
      'a reference layer out of range',
      ['--unit', 'L0.H0', '--reference', 'layer:4'],
      'layers are numbered 0 to 3',
    ],
    [
      'an unknown option',
      ['--unit', 'L0.H0', '--refrence', 'all'],
      "unknown option '--refrence' (Did you mean",
    ],
    [
      'an unknown engine',
      ['--unit', 'L0.H0', '--engine', 'gpu'],
      'Allowed choices are onnx, tensorflow, cpu.',
    ],
  ])('of both commands: %s', async (_, flags, words) => {
    for (const { code, sentence } of await Promise.all([score(...books, ...flags), text(...flags)])) {
      expect(code).toBe(2);
      expect(sentence).toContain(words);
    }
  });

  it('score: an empty text, a text longer than the context, no text', async () => {
    const flags = ['score', ...books, '--unit', 'L0.H0'];
    const empty = await complaint(...flags, '--text', '');
    expect(empty).toEqual({ code: 2, sentence: 'the text is empty: give at least one token with --text' });
    const long = await complaint(...flags, '--text', 'word '.repeat(300));
    expect(long.code).toBe(2);
    expect(long.sentence).toMatch(
      /^the text has \d{3} tokens with BOS, more than the 256 of the model's context/,
    );
    expect(await complaint(...flags)).toMatchObject({
      code: 2,
      sentence: expect.stringContaining('--text <text>'),
    });
  });

  it.each<[what: string, flags: string[], sentence: string]>([
    ['no evaluations', ['--evaluations', '0'], 'It must be a whole number of at least 1.'],
    ['no seconds', ['--evaluations', '0', '--seconds', '0'], 'It must be a'],
    ['two budgets', ['--seconds', '3'], 'cannot be used with option'],
    ['an unknown method', ['--method', 'magic'], 'Allowed choices are auto, evolve,'],
    ['no length', ['--length', '0'], 'It must be a whole number of at least 1.'],
    [
      'a length beyond the context',
      ['--length', '256'],
      "--length 256 does not fit the model's context of 256 tokens",
    ],
  ])('text: %s', async (_, flags, words) => {
    const { code, sentence } = await text('--unit', 'L0.H0', ...flags);
    expect(code).toBe(2);
    expect(sentence).toContain(words);
  });

  it.each<[what: string, change: (folder: string) => void, sentence: RegExp]>([
    [
      'an unknown architecture',
      withConfig({ model_type: 'lama' }),
      /architecture "lama".*did you mean "llama"\?$/,
    ],
    [
      'a config that is no JSON',
      (at) => writeFileSync(join(at, 'config.json'), '{'),
      /config\.json is not valid JSON$/,
    ],
    [
      'missing safetensors',
      (at) => rmSync(join(at, 'model.safetensors')),
      /has no model\.safetensors and no/,
    ],
    [
      'truncated safetensors',
      (at) => cutWeights(at, 1_000_000),
      /is cut short: it has 1000000 bytes of at least \d+/,
    ],
    ['safetensors cut in the header', (at) => cutWeights(at, 100), /is cut short: it has 100 bytes/],
    [
      'a width that disagrees',
      withConfig({ hidden_size: 96 }),
      /disagree: "model\.embed_tokens\.weight" should be of/,
    ],
    [
      'more layers than weights',
      withConfig({ num_hidden_layers: 5 }),
      /disagree: there is no "model\.layers\.4\./,
    ],
    [
      'fewer layers than weights',
      withConfig({ num_hidden_layers: 3 }),
      /disagree: there is "model\.layers\.3\..* but only 3/,
    ],
    [
      'no tokenizer',
      (at) => rmSync(join(at, 'tokenizer.json')),
      /has no tokenizer\.json; save the model's tokenizer/,
    ],
    [
      'another tokenizer',
      (at) => writeFileSync(join(at, 'tokenizer.json'), '{}'),
      /tokenizer\.json cannot be used: /,
    ],
  ])('a model folder with %s', async (what, change, words) => {
    const folder = broken(what.replaceAll(' ', '-'), change);
    const { code, sentence } = await score('--model', folder, '--unit', 'L0.H0');
    expect(code).toBe(1);
    expect(sentence).toMatch(words);
    expect(sentence).toContain(folder);
  });

  function cutWeights(folder: string, bytes: number): void {
    const path = join(folder, 'model.safetensors');
    rmSync(path);
    cpSync(join(embedded, 'model.safetensors'), path);
    truncateSync(path, bytes);
  }

  it('a model that is not there', async () => {
    const missing = (name: string) => score('--model', name, '--unit', 'L0.H0');
    expect(await missing('book-lm')).toEqual({
      code: 1,
      sentence: expect.stringMatching(/^there is no model "book-lm"; did you mean "books-lm"\?/),
    });
    expect((await missing('./nowhere')).sentence).toMatch(/^there is no folder \.\/nowhere; check the path/);
    expect((await missing('no/where')).sentence).toContain('HF_HUB_OFFLINE is set');
    expect((await missing(place)).sentence).toContain('holds no model');
  });

  it('an output folder that cannot be written', async () => {
    const file = join(place, 'a-file');
    writeFileSync(file, '');
    const under = await text('--unit', 'L0.H0', '--out', join(file, 'runs'));
    expect(under).toMatchObject({
      code: 1,
      sentence: expect.stringContaining('a part of that path is a file'),
    });
    if (process.platform !== 'linux') return;
    expect(await text('--unit', 'L0.H0', '--out', '/proc/runs')).toMatchObject({ code: 1 });
  });

  it('files that are not there or are no such files', async () => {
    const corpus = join(place, 'short.txt');
    writeFileSync(corpus, 'too short');
    const calibrated = (file: string) => score(...books, '--unit', 'L0.H0', '--calibrate-on', file);
    expect((await calibrated(join(place, 'none.txt'))).sentence).toContain('there is no such file');
    expect((await calibrated(corpus)).sentence).toContain('is too short');

    const directions = join(place, 'directions.safetensors');
    writeSafetensors(directions, [['short', { shape: [3], data: new Float32Array(3) }]]);
    const direction = (name: string) => score(...books, '--unit', `L1.D:${name}`);
    expect((await direction(`${directions}.x#d`)).sentence).toContain('there is no such file');
    expect((await direction(`${directions}#long`)).sentence).toContain('has no array named "long"');
    expect(await direction(`${directions}#short`)).toEqual({
      code: 2,
      sentence: `"short" in ${directions} has shape [3]; a direction of this model is [192]`,
    });
  });
});
