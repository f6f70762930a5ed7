import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../src/core/random.js';
import { Histograms } from '../tools/histogram.js';
import { Windows } from '../tools/windows.js';
import { train, trainingLog } from './helpers/training.js';

describe('windows of a corpus', () => {
  const tokens = Uint16Array.from({ length: 1000 }, (_, i) => i);

  it('are BOS and the text shifted by one', () => {
    const { ids, targets } = new Windows(tokens, 8, 3).batch(5, 2);
    for (const row of [0, 8]) {
      expect(ids[row]).toBe(0);
      expect(ids.subarray(row + 1, row + 8)).toEqual(targets.subarray(row, row + 7));
      expect(targets[row + 7]! - targets[row]!).toBe(7);
    }
  });

  it('come once an epoch, in an order that the seed decides', () => {
    const windows = new Windows(tokens, 8, 3);
    const firsts = (from: number) =>
      Array.from({ length: windows.count }, (_, n) => windows.batch(from + n, 1).targets[0]!);
    const epoch = firsts(0);
    expect(new Set(epoch).size).toBe(windows.count);
    expect(epoch).not.toEqual([...epoch].sort((a, b) => a - b));
    expect(firsts(windows.count)).not.toEqual(epoch);
    expect(new Windows(tokens, 8, 3).batch(40, 1)).toEqual(windows.batch(40, 1));
    expect(new Windows(tokens, 8, 4).batch(40, 1)).not.toEqual(windows.batch(40, 1));
  });
});

it('histograms know the moments and quantiles of their columns', () => {
  const random = new Random(1);
  const rows = 20_000;
  const histograms = new Histograms(2);
  // A normal and an exponential variable, in two parts.
  const parts = [0, 1].map(() =>
    Float32Array.from({ length: rows }, (_, i) =>
      i < rows / 2 ? random.normal() : -Math.log(1 - random.uniform()),
    ),
  );
  for (const part of parts) histograms.add(part);
  const column = (i: number) =>
    Float32Array.from(
      parts.flatMap((part) => [...part.subarray((i * rows) / 2, ((i + 1) * rows) / 2)]),
    ).sort();
  for (const i of [0, 1]) {
    const sorted = column(i);
    const mean = sorted.reduce((sum, x) => sum + x, 0) / rows;
    const deviation = Math.sqrt(sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows);
    expect(histograms.mean[i]).toBeCloseTo(mean, 5);
    expect(histograms.deviation[i]).toBeCloseTo(deviation, 5);
    expect(histograms.max[i]).toBe(sorted.at(-1));
    for (const q of [0.01, 0.3, 0.9, 0.999]) {
      const exact = sorted[Math.ceil(q * rows) - 1]!;
      expect(Math.abs(histograms.quantile(q)[i]! - exact)).toBeLessThan(0.016 * Math.abs(exact) + 0.002);
    }
  }
});

describe('tools/train-language-model.ts', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'superstim-train-'));
    // Words of two syllables, so that there is something to learn.
    const random = new Random(2);
    const syllables = ['ba', 'ko', 'li', 'mu', 'ne', 'ra', 'so', 'ti'];
    const words = Array.from({ length: 12_000 }, () => random.pick(syllables) + random.pick(syllables));
    writeFileSync(join(folder, 'corpus.gz'), gzipSync(words.join(' ')));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('goes on from a checkpoint as if it had not stopped', () => {
    const corpus = join(folder, 'corpus.gz');
    const run = (work: string, ...more: string[]) =>
      train('train-language-model.ts', join(folder, work), [
        ...['--corpus', corpus, '--valid', corpus, '--steps', '4', '--batch', '1'],
        ...more,
      ]);
    const whole = run('whole');
    const half = run('halves', '--stop-after', '2');
    expect(half.equals(whole)).toBe(false);
    expect(run('halves').equals(whole)).toBe(true);
    const log = trainingLog(join(folder, 'whole'));
    const losses = log.flatMap(({ loss }) => loss ?? []);
    expect(losses).toHaveLength(4);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1);
    expect(log.at(-1)).toHaveProperty('bitsPerByte');
  });
});
