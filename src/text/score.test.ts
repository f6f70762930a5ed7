/** Scoring a text with a model that names no BOS. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { relativeError } from '../../test/helpers/compare.js';
import { runOn } from '../../test/helpers/engines.js';
import { gpt2In, optionsOf, scoreBy, scoringEach } from '../../test/helpers/scoring.js';
import { UsageError, UserError } from '../core/errors.js';
import type * as tf from '../engine/functions/tfjs.js';
import { finishRun, type RunEvent } from '../runs/events.js';
import { KeptScorers } from './kept-scorers.js';
import { openSubject } from './lm/subject.js';
import { forward } from './lm/transformer.js';
import { Calibration } from './readouts/calibration.js';
import { fileText } from './readouts/calibration-text.js';
import { headGroup } from './readouts/head.js';
import { Probe } from './readouts/probe.js';
import { checkScore, type ScoreOptions, scoreText } from './score.js';

const at = scoringEach();
const text = 'It was a dark and stormy night';
/** As much of a text as there is by default. */
const whole = { tokens: null };
const options = (changes: Partial<ScoreOptions> = {}) => optionsOf(at, changes);
const score = (changes: Partial<ScoreOptions> = {}) => scoreBy(options(changes));

describe('scoreText', () => {
  it('scores with what an earlier score of the same request was computed with', async () => {
    const scorers = new KeptScorers();
    const opened = vi.spyOn(Probe, 'create');
    const texts = ['It was dark', 'It was light', 'It was a light'];
    const kept = [];
    for (const text of texts) kept.push((await score({ text, scorers })).result);
    expect(opened).toHaveBeenCalledTimes(1);
    for (const [i, text] of texts.entries()) expect(kept[i]).toEqual((await score({ text })).result);
    await score({ text, scorers, at: 'last' });
    expect(opened).toHaveBeenCalledTimes(texts.length + 2);
    await scorers.dispose();
    opened.mockRestore();
  });

  it('starts a text with one end-of-text token where the model has no BOS', async () => {
    const { result } = await score();
    const { tokens, token_ids, logprobs } = result;
    expect(token_ids).toEqual(at.model.tokenizer.encode(text));
    expect(token_ids.filter((id) => id === 0)).toHaveLength(1);
    expect([token_ids[0], tokens[0], logprobs[0]]).toEqual([0, '<|endoftext|>', null]);
    expect(tokens.slice(1).join('')).toBe(text);
  });

  it('gives the log-probabilities of the model', async () => {
    const { token_ids, logprobs, cross_entropy } = (await score()).result;
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
      logits: forward(at.model.spec, lookup, { ids: inputs.ids! }).at('logits'),
    });
    const ids = { shape: [1, token_ids.length], data: Int32Array.from(token_ids) };
    const { logits } = await runOn('cpu', fn, { ids }, at.model.weights);
    const { vocab } = at.model.spec;
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
    expect(head!.rank).toBeLessThanOrEqual(at.model.spec.heads);
    expect(neuron!.rank).toBeLessThanOrEqual(at.model.spec.dMlp);
    expect([logit!.margin, logit!.rank]).toEqual([null, null]);
  });

  it('computes z over the calibration text that it is given', async () => {
    const ids = await fileText(openSubject(at.model, 'onnx'), at.calibrationText, whole);
    expect(ids.positions).toBe(24);
    expect(Array.from(ids.ids).filter((id) => id === 0)).toHaveLength(ids.ids.length / 24);
    const calibration = new Calibration({ subject: openSubject(at.model, 'onnx'), text: async () => ids });
    const { mean, deviation } = await calibration.statistics(headGroup(at.model.spec, 1, 'raw'));
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
    expect(readdirSync(at.cache)).toEqual([]);
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
    const nameless = await gpt2In(at.place, {});
    await expect(score({ model: nameless })).rejects.toThrow(UserError);
    await expect(score({ model: nameless })).rejects.toThrow('names neither a BOS nor an EOS token');
  });

  it('spreads its pieces over a long corpus, in any encoding that is read, and stops on request', async () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `word ${i}`).join(' ');
    const [path, wide] = [join(at.place, 'long.txt'), join(at.place, 'wide.txt')];
    writeFileSync(path, words);
    writeFileSync(wide, Buffer.from(`\uFEFF${words}`, 'utf16le'));
    const subject = openSubject(at.model, 'onnx');
    const found = await fileText(subject, path, whole);
    expect(found.ids).toHaveLength(256 * 24);
    const stride = Math.floor(words.length / 256);
    for (const i of [0, 1, 100, 255]) {
      const piece = at.model.tokenizer.encode(words.slice(i * stride, i * stride + 64 * 12)).slice(0, 24);
      expect(Array.from(found.ids.subarray(i * 24, (i + 1) * 24))).toEqual(piece);
    }
    expect(await fileText(subject, wide, whole)).toEqual(found);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(fileText(subject, path, { ...whole, signal })).rejects.toThrow('stopped');
  });

  it('refuses calibration text that is too short', async () => {
    const short = join(at.place, 'short.txt');
    writeFileSync(short, 'Call me Ishmael.');
    await expect(score({ calibrationText: short })).rejects.toThrow(
      `the calibration text ${short} is too short`,
    );
  });
});
