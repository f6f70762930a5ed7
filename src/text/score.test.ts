/** Scoring a text with a model that names no BOS, its calibration and the cache of it. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { relativeError } from '../../test/helpers/compare.js';
import { runOn } from '../../test/helpers/engines.js';
import { randomModel, tinyConfigs } from '../../test/helpers/random-model.js';
import { UsageError, UserError } from '../core/errors.js';
import type * as tf from '../engine/functions/tfjs.js';
import { writeSafetensors } from '../engine/weights/safetensors.js';
import { embeddedFolder } from '../hub/embedded.js';
import { type EventBody, finishRun, type RunEvent } from '../runs/events.js';
import { loadTextModel, type TextModel } from './lm/model.js';
import { openSubject } from './lm/subject.js';
import { forward } from './lm/transformer.js';
import { Calibration } from './readouts/calibration.js';
import { fileText } from './readouts/calibration-text.js';
import { headGroup } from './readouts/head.js';
import { NeuronGroup } from './readouts/neuron.js';
import type { ReadoutGroup } from './readouts/readout.js';
import { calibrate, type Session } from './readouts/session.js';
import { checkScore, type ScoreOptions, type ScoreResult, scoreText } from './score.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-score-'));
afterAll(() => rmSync(place, { recursive: true }));

const calibrationText = join(place, 'calibration.txt');
writeFileSync(
  calibrationText,
  'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea. '.repeat(40),
);

/** A GPT-2 of random weights with a real tokenizer. Its config names an end of text, and nothing to begin with. */
async function gpt2(special: object): Promise<TextModel> {
  const { bos_token_id: _, ...sizes } = tinyConfigs.gpt2;
  const config = { ...sizes, vocab_size: 4096, n_positions: 24, ...special };
  const folder = mkdtempSync(join(place, 'gpt2-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeSafetensors(join(folder, 'model.safetensors'), randomModel(config).arrays);
  cpSync(join(embeddedFolder, 'books-lm', 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return loadTextModel(folder);
}

let model: TextModel;
beforeAll(async () => {
  model = await gpt2({ eos_token_id: 0 });
});

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(place, 'cache-'));
  process.env.SUPERSTIM_CACHE = cache;
});

const text = 'It was a dark and stormy night';
/** As much of a text as there is by default. */
const whole = { tokens: null };
const options = (changes: Partial<ScoreOptions> = {}): ScoreOptions => ({
  model,
  modelHash: 'hash',
  engine: 'onnx',
  measure: 'delta',
  at: 'max',
  reference: 'layer',
  calibrationText,
  seed: 0,
  text,
  units: ['L1.H2'],
  ...changes,
});

async function score(
  changes: Partial<ScoreOptions> = {},
): Promise<{ result: ScoreResult; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const result = await finishRun(scoreText(options(changes)), (event) => events.push(event));
  return { result, events };
}

describe('scoreText', () => {
  it('starts a text with one end-of-text token where the model has no BOS', async () => {
    const { result } = await score();
    const { tokens, token_ids, logprobs } = result;
    expect(token_ids).toEqual(model.tokenizer.encode(text));
    expect(token_ids.filter((id) => id === 0)).toHaveLength(1);
    expect([token_ids[0], tokens[0], logprobs[0]]).toEqual([0, '<|endoftext|>', null]);
    expect(tokens.slice(1).join('')).toBe(text);
  });

  it('gives the log-probabilities of the model', async () => {
    const { token_ids, logprobs, cross_entropy } = (await score()).result;
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
      logits: forward(model.spec, lookup, { ids: inputs.ids! }).at('logits'),
    });
    const ids = { shape: [1, token_ids.length], data: Int32Array.from(token_ids) };
    const { logits } = await runOn('cpu', fn, { ids }, model.weights);
    const { vocab } = model.spec;
    const expected = token_ids.slice(1).map((token, i) => {
      const row = Array.from(logits!.data.subarray(i * vocab, (i + 1) * vocab));
      return row[token]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    });
    expect(relativeError(logprobs.slice(1) as number[], expected)).toBeLessThan(1e-5);
    expect(cross_entropy).toBeCloseTo(-expected.reduce((sum, x) => sum + x, 0) / expected.length, 4);
  });

  it('scores every unit against its own class', async () => {
    const { result } = await score({ units: ['L1.H2', 'L0.N3', 'logit: night'] });
    expect(result.units.map(({ unit }) => unit)).toEqual(['L1.H2', 'L0.N3', 'logit: night']);
    for (const unit of result.units) {
      const { raw, z, peak } = unit;
      expect([raw.length, z.length]).toEqual([result.tokens.length, result.tokens.length]);
      expect(z[0]).toBeNull();
      expect(peak).toEqual({
        position: z.indexOf(peak.z),
        raw: raw[peak.position],
        z: Math.max(...z.slice(1).map(Number)),
      });
      expect(await score({ units: [unit.unit] }).then((alone) => alone.result.units[0])).toEqual(unit);
    }
    const [head, neuron, logit] = result.units;
    expect(head!.rank).toBeLessThanOrEqual(model.spec.heads);
    expect(neuron!.rank).toBeLessThanOrEqual(model.spec.dMlp);
    expect([logit!.margin, logit!.rank]).toEqual([null, null]);
  });

  it('computes z over the calibration text that it is given', async () => {
    const ids = await fileText(openSubject(model, 'onnx'), calibrationText, whole);
    expect(ids.positions).toBe(24);
    expect(Array.from(ids.ids).filter((id) => id === 0)).toHaveLength(ids.ids.length / 24);
    const calibration = new Calibration({ subject: openSubject(model, 'onnx'), text: async () => ids });
    const { mean, deviation } = await calibration.statistics(headGroup(model.spec, 1, 'raw'));
    const { result } = await score({ measure: 'raw' });
    const { raw, z } = result.units[0]!;
    const expected = raw.map((value) => (value - mean[2]!) / deviation[2]!);
    expect(relativeError(z.slice(1) as number[], expected.slice(1))).toBeLessThan(1e-4);
  });

  it.each<[string, Partial<ScoreOptions>, string]>([
    ['an empty text', { text: '' }, 'the text is empty'],
    [
      'a text longer than the context',
      { text: text.repeat(4) },
      "too many for the model's context of 24 tokens, one of which is BOS",
    ],
    ['an unknown unit', { units: ['L1.H2', 'L2.H0'] }, 'L2.H0 is outside this model'],
  ])('refuses %s before anything is computed', async (_, changes, words) => {
    const run = scoreText(options(changes));
    await expect(run.next()).rejects.toThrow(words);
    await expect(scoreText(options(changes)).next()).rejects.toBeInstanceOf(UsageError);
  });

  it('refuses a text that is BOS and nothing else', async () => {
    await expect(score({ text: '<|endoftext|>' })).rejects.toThrow('has no token beside BOS');
  });

  it('gives raw values at once', async () => {
    const { calibrationText: _, ...noText } = options({
      units: ['L1.H2', '-L0.N3', 'logit: night'],
      raw: true,
    });
    const events: RunEvent[] = [];
    const result = await finishRun(scoreText(noText), (event) => events.push(event));
    expect(events.map(({ kind }) => kind)).toEqual(['started']);
    expect(readdirSync(cache)).toEqual([]);
    const counted = (await score({ units: ['L1.H2', '-L0.N3', 'logit: night'] })).result;
    expect(result.cross_entropy).toBeCloseTo(counted.cross_entropy, 5);
    for (const [i, { raw, z, peak, margin, rank, calibration }] of result.units.entries()) {
      expect(relativeError(raw, counted.units[i]!.raw)).toBeLessThan(1e-5);
      expect([new Set(z), peak.z, margin, rank, calibration]).toEqual([
        new Set([null]),
        null,
        null,
        null,
        [],
      ]);
    }
    const lowest = result.units[1]!;
    expect(lowest.peak.raw).toBe(Math.min(...lowest.raw.slice(1)));
  });

  it.each<[string, Partial<ScoreOptions>, string]>([
    ['a sum', { units: ['L1.H2 + L0.N3'] }, 'is a sum, which is counted in z: `raw` is for single units'],
    ['what is counted from a mean', { measure: 'logits' }, 'counted from its mean, which needs calibration'],
  ])('has no raw value of %s', async (_, changes, words) => {
    expect(() => checkScore(options({ ...changes, raw: true }))).toThrow(words);
    await expect(score({ ...changes, raw: true })).rejects.toThrow(UsageError);
  });

  it('refuses a model that has nothing to start a text with', async () => {
    const nameless = await gpt2({});
    await expect(score({ model: nameless })).rejects.toThrow(UserError);
    await expect(score({ model: nameless })).rejects.toThrow('names neither a BOS nor an EOS token');
  });

  it('spreads its pieces over a long corpus, in any encoding that is read, and stops on request', async () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `word ${i}`).join(' ');
    const [path, wide] = [join(place, 'long.txt'), join(place, 'wide.txt')];
    writeFileSync(path, words);
    writeFileSync(wide, Buffer.from(`\uFEFF${words}`, 'utf16le'));
    const subject = openSubject(model, 'onnx');
    const found = await fileText(subject, path, whole);
    expect(found.ids).toHaveLength(256 * 24);
    const stride = Math.floor(words.length / 256);
    for (const i of [0, 1, 100, 255]) {
      const piece = model.tokenizer.encode(words.slice(i * stride, i * stride + 64 * 12)).slice(0, 24);
      expect(Array.from(found.ids.subarray(i * 24, (i + 1) * 24))).toEqual(piece);
    }
    expect(await fileText(subject, wide, whole)).toEqual(found);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(fileText(subject, path, { ...whole, signal })).rejects.toThrow('stopped');
  });

  it('refuses calibration text that is too short', async () => {
    const short = join(place, 'short.txt');
    writeFileSync(short, 'Call me Ishmael.');
    await expect(score({ calibrationText: short })).rejects.toThrow(
      `the calibration text ${short} is too short`,
    );
  });
});

describe('calibrate', () => {
  /** Options of a calibration on samples. */
  const onSamples = (changes: Partial<Session> = {}) => {
    const { calibrationText: _, ...rest } = { ...options(), ...changes };
    return rest;
  };
  const group = () => headGroup(model.spec, 1, 'delta');

  /** One whole calibration, as a new process does it. */
  async function fresh(changes: Partial<Session> = {}, groups: readonly ReadoutGroup[] = [group()]) {
    const reports: EventBody[] = [];
    const calibration = await finishRun(calibrate({ ...onSamples(changes), groups }), (event) =>
      reports.push(event),
    );
    const statistics = await calibration.statistics(groups[0]!);
    return {
      reports,
      calibration,
      warnings: calibration.takeWarnings(),
      statistics,
      from: await calibration.sourceOf(groups[0]!),
    };
  }
  const files = (ending: string) => {
    const folder = join(cache, 'calibration', 'hash');
    return readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name));
  };

  it('draws samples once and counts once; the next process reads both', async () => {
    const first = await fresh();
    expect(first.reports.length).toBeGreaterThan(0);
    expect(first.reports[0]).toMatchObject({ kind: 'progress', budget: 'sequences', done: 0, total: 256 });
    expect(first.from).toEqual({ source: 'prior', tokens: 256 * 23, cached: false });
    const second = await fresh();
    expect(second.reports).toEqual([]);
    expect(second.from).toEqual({ ...first.from, cached: true });
    expect(second.statistics).toEqual(first.statistics);
  });

  it('says from the start what is done, how much is left and that it is once', async () => {
    const { reports } = await fresh();
    const progress = reports.filter((report) => report.kind === 'progress');
    expect(progress).toHaveLength(reports.length);
    const phases = [...new Set(progress.map(({ note }) => note))];
    expect(phases).toEqual([
      'calibrating, once for this model: drawing samples of the model',
      'calibrating, once for this model: counting means',
      'calibrating, once for this model: counting moments',
    ]);
    for (const phase of phases) {
      const of = progress.filter(({ note }) => note === phase);
      expect(of[0]).toMatchObject({ done: 0, total: 256, seconds_left: null });
      expect(of.at(-1)).toMatchObject({ done: 256, total: 256, seconds_left: 0 });
    }
  });

  it('counts many groups at once as it counts each alone, and finds each again', async () => {
    const groups = [group(), headGroup(model.spec, 0, 'raw'), new NeuronGroup(model.spec, 1, 'pre')];
    const together = await fresh({}, groups);
    const counting = together.reports.filter(
      (report) => 'note' in report && report.note?.includes('moments'),
    );
    expect(counting).toHaveLength(1 + 256 / 64);
    for (const one of groups) {
      const kept = await fresh({}, [one]);
      expect([kept.reports, kept.from.cached]).toEqual([[], true]);
      expect(kept.statistics).toEqual(await together.calibration.statistics(one));
      const alone = await fresh({ modelHash: one.key }, [one]);
      for (const [name, values] of Object.entries(alone.statistics))
        expect(relativeError(kept.statistics[name as 'mean']!, values), `${one.key} ${name}`).toBeLessThan(
          1e-4,
        );
    }
    const more = await fresh({}, [...groups, new NeuronGroup(model.spec, 0, 'post')]);
    expect(more.reports.map((report) => 'note' in report && report.note)).not.toContain(
      'calibrating, once for this model: counting means',
    );
  });

  it('counts over as many tokens as it is told to', async () => {
    const some = await fresh({ calibrationTokens: 700 });
    expect(some.from).toEqual({ source: 'prior', tokens: 31 * 23, cached: false });
    const { result } = await score({ calibrationTokens: 520 });
    expect(result.units[0]!.calibration[0]).toMatchObject({ source: 'corpus', tokens: 23 * 23 });
    expect((await fresh()).from).toMatchObject({ tokens: 256 * 23, cached: false });
    expect((await fresh({ calibrationTokens: 700 })).from.cached).toBe(true);
  });

  it('reports how sure mean and deviation are: less text, less sure', async () => {
    const { meanError, deviationError, mean } = (await fresh()).statistics;
    const some = (await fresh({ calibrationTokens: 600 })).statistics;
    for (let head = 0; head < mean.length; head++) {
      const ratio = some.meanError![head]! / meanError![head]!;
      // 27 sequences instead of 256.
      expect(ratio).toBeGreaterThan(3 / 2);
      expect(ratio).toBeLessThan(3 * 2);
      expect(Math.abs(some.mean[head]! - mean[head]!)).toBeLessThan(5 * some.meanError![head]!);
      expect(deviationError![head]).toBeGreaterThan(0);
    }
  });

  it('stops while it draws and while it counts, and the next one starts where nothing is kept yet', async () => {
    for (const phase of ['drawing', 'moments']) {
      const controller = new AbortController();
      const steps = calibrate({ ...onSamples({ signal: controller.signal }), groups: [group()] });
      const stopped = finishRun(steps, (event) => {
        if ('note' in event && event.note?.includes(phase)) controller.abort(new Error('stopped'));
      });
      await expect(stopped, phase).rejects.toThrow('stopped');
      expect(existsSync(join(cache, 'calibration')) ? files('.samples') : []).toHaveLength(
        phase === 'drawing' ? 0 : 1,
      );
    }
    expect(files('.statistics')).toHaveLength(0);
    expect((await fresh()).from.cached).toBe(false);
  });

  it('does not trust a damaged file', async () => {
    const first = await fresh();
    const [statistics, ids] = [files('.statistics')[0]!, files('.samples')[0]!];
    const spoil: [string, () => void][] = [
      ['cut statistics', () => truncateSync(statistics, 40)],
      ['empty statistics', () => writeFileSync(statistics, '')],
      [
        'statistics with another digit',
        () => writeFileSync(statistics, readFileSync(statistics, 'utf8').replace('[', '[9')),
      ],
      ['cut samples', () => truncateSync(ids, 1002)],
      ['samples all zero', () => writeFileSync(ids, Buffer.alloc(readFileSync(ids).length))],
      ['other samples', () => writeFileSync(ids, readFileSync(ids).fill(1, 900))],
    ];
    for (const [what, damage] of spoil) {
      damage();
      const again = await fresh();
      expect(again.statistics, what).toEqual(first.statistics);
      const phases = again.reports.map((report) => (report as { note: string }).note);
      expect(
        phases.some((note) => note.includes('drawing')),
        what,
      ).toBe(what.includes('samples'));
      expect(again.from.cached, what).toBe(what.includes('samples'));
      const file = what.includes('samples') ? ids : statistics;
      expect(again.warnings, what).toEqual([
        { kind: 'warning', message: expect.stringContaining(`the calibration file ${file} is damaged`) },
      ]);
      expect(await fresh(), what).toMatchObject({ warnings: [], from: { cached: true }, reports: [] });
    }
  });

  it('lets two processes count at once', async () => {
    const [one, other] = await Promise.all([fresh(), fresh()]);
    expect(one.statistics).toEqual(other.statistics);
    expect(await fresh()).toMatchObject({ warnings: [], from: { cached: true } });
    expect(files('')).toHaveLength(2);
  });

  it('works without a cache where none can be written', async () => {
    const file = join(cache, 'file');
    writeFileSync(file, '');
    process.env.SUPERSTIM_CACHE = join(file, 'cache');
    expect((await fresh()).from.cached).toBe(false);
    expect((await fresh()).from.cached).toBe(false);
  });

  it('keeps the statistics of different models and texts apart', async () => {
    await fresh();
    const before = files('.statistics');
    mkdirSync(join(cache, 'calibration', 'other'));
    await score();
    expect(files('.statistics').length).toBe(before.length + 1);
    await score({ modelHash: 'other' });
    expect(files('.statistics').length).toBe(before.length + 1);
    expect(readdirSync(join(cache, 'calibration', 'other'))).toHaveLength(1);
  });
});
