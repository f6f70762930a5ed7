/** @file `superstim score` as users run it: the built command, its streams and exit codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ScoreResult } from '../../src/text/score.js';
import { relativeError } from '../helpers/compare.js';
import { cases, missing, reference, stories } from '../helpers/stories260k.js';
import { books, json, place, sentence, superstim } from '../helpers/superstim.js';

describe('superstim score', () => {
  it('scores each line of a file, and names the line of an error', async () => {
    const file = join(place, 'texts.txt');
    writeFileSync(file, `${sentence[1]}\n\nIt was\n${'a '.repeat(2000)}\n`);
    const { stdout, stderr, code } = await superstim([
      'score',
      ...books,
      '--text-file',
      file,
      '--unit',
      'L2.N7',
      '--json',
    ]);
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ScoreResult);
    const texts = results.map(({ tokens }) => tokens.slice(1).join('').trim());
    expect(texts).toEqual([sentence[1], 'It was']);
    expect(stderr).toMatch(/texts\.txt:4: the text has \d+ tokens, too many/);
    expect(code).toBe(2);
  });

  it('prints the result as one JSON document', async () => {
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
      'frame',
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
      expect(Object.keys(unit)).toEqual(['unit', 'raw', 'z', 'peak', 'margin', 'rank', 'calibration']);
      expect([unit.raw.length, unit.z.length]).toEqual([tokens.length, tokens.length]);
      expect(unit.z[0]).toBeNull();
      const { position, raw, z } = unit.peak;
      expect(z).toBe(Math.max(...(unit.z.slice(1) as number[])));
      expect([unit.z[position], unit.raw[position]]).toEqual([z, raw]);
      expect(unit.rank).toBeGreaterThanOrEqual(1);
      expect(unit.margin! > 0).toBe(unit.rank === 1);
    }
  });

  it('prints raw values alone with --raw', async () => {
    const flags = ['score', ...books, ...sentence, '--unit', 'L1.H3', '--raw'];
    const { stdout } = await superstim(flags);
    expect(stdout).toMatch(
      /\n[\d.]+ nats a token\nL1\.H3 {2}raw [\d.]+ at token \d+\nread behind "<\|endoftext\|>" \(BOS auto\)\n$/,
    );
    const both = await superstim([...flags, '--ablate']);
    expect(both).toMatchObject({ code: 2, stdout: '' });
    expect(both.stderr).toContain('--raw: needs no calibration, and --ablate does');
  });

  it('calibrates all units of a model', async () => {
    const none = await superstim(['calibrate', ...books]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('--unit: name at least one, or ask for --all');
    const { stdout } = await superstim(['calibrate', ...books, '--all']);
    expect(stdout).toMatch(/^group +units +counted over\nheads 0 delta +8 +[\d,.k]+ tokens of the model/);
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

describe.skipIf(missing)(reference.title('superstim score on stories260k'), () => {
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
