import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../src/engine/random.js';
import { Histograms } from '../tools/histogram.js';
import { Windows } from '../tools/windows.js';

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
  const root = fileURLToPath(new URL('..', import.meta.url));
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

  /** The checkpoint's bytes after some steps, in a work folder of its own. */
  function train(work: string, ...more: string[]): Buffer {
    const corpus = join(folder, 'corpus.gz');
    const data = ['--corpus', corpus, '--valid', corpus, '--work', join(folder, work)];
    const settings = ['--steps', '4', '--batch', '1', ...more];
    execFileSync(
      process.execPath,
      ['--import', 'tsx', 'tools/train-language-model.ts', ...data, ...settings],
      { cwd: root, stdio: 'pipe' },
    );
    return readFileSync(join(folder, work, 'checkpoint.safetensors'));
  }

  /** The arrays behind the header, which holds the seconds. */
  const arrays = (checkpoint: Buffer) => checkpoint.subarray(8 + Number(checkpoint.readBigUInt64LE()));

  it('goes on from a checkpoint as if it had not stopped', () => {
    const whole = train('whole');
    const half = train('halves', '--stop-after', '2');
    expect(arrays(half).equals(arrays(whole))).toBe(false);
    expect(arrays(train('halves')).equals(arrays(whole))).toBe(true);
    const log = readFileSync(join(folder, 'whole', 'log.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const losses = log.flatMap(({ loss }) => loss ?? []);
    expect(losses).toHaveLength(4);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1);
    expect(log.at(-1)).toHaveProperty('bitsPerByte');
  });
});
