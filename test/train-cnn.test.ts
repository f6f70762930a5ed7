import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../src/core/random.js';
import { loadPictures, PICTURE_SIZE, PictureStream, type Pictures } from '../tools/pictures.js';
import { train, trainingLog } from './helpers/training.js';

const CLASSES = 200;
let folder: string;
let tar: string;

/** A picture a class, of one colour, so that there is something to learn. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'superstim-train-cnn-'));
  tar = join(folder, 'pictures.tar');
  const random = new Random(6);
  const archive = pack();
  const written = pipeline(archive, createWriteStream(tar));
  for (let n = 0; n < CLASSES; n++) {
    const [r, g, b] = [0, 1, 2].map(() => random.integer(256)) as [number, number, number];
    const size = { width: PICTURE_SIZE, height: PICTURE_SIZE, channels: 3 } as const;
    const jpeg = await sharp({ create: { ...size, background: { r, g, b } } })
      .jpeg()
      .toBuffer();
    archive.entry({ name: `n${String(n).padStart(3, '0')}/picture.JPEG` }, jpeg);
  }
  archive.entry({ name: 'n000/notes.txt' }, 'not a picture');
  archive.finalize();
  await written;
});
afterAll(() => rmSync(folder, { recursive: true }));

it('tools/train-cnn.ts goes on from a checkpoint as if it had not stopped, from one size to the next', () => {
  const run = (work: string, ...more: string[]) =>
    train('train-cnn.ts', join(folder, work), [
      ...['--train', tar, '--valid', tar, '--stages', '16:0.12,32:0.08', '--batch', '8'],
      ...more,
    ]);
  const whole = run('whole');
  const half = run('halves', '--stop-after', '2');
  expect(half.equals(whole)).toBe(false);
  expect(run('halves').equals(whole)).toBe(true);
  const log = trainingLog(join(folder, 'whole'));
  expect(log.flatMap(({ size }) => size ?? [])).toEqual([16, 16, 16, 32, 32]);
  expect(log.flatMap(({ loss }) => loss ?? []).every(Number.isFinite)).toBe(true);
  expect(log.at(-1)).toHaveProperty('top1');
});

describe('training pictures', () => {
  let pictures: Pictures;
  beforeAll(async () => {
    pictures = await loadPictures(tar, join(folder, 'decoded'));
  });

  it('are decoded once, with the classes of their folders', async () => {
    expect(pictures.classes.slice(0, 2)).toEqual(['n000', 'n001']);
    expect([...pictures.labels]).toEqual(Array.from({ length: CLASSES }, (_, n) => n));
    expect(pictures.pixels).toHaveLength(CLASSES * PICTURE_SIZE ** 2 * 3);
    const again = await loadPictures(join(folder, 'not there.tar'), join(folder, 'decoded'));
    expect(again.labels).toEqual(pictures.labels);
    expect(again.pixels.equals(pictures.pixels)).toBe(true);
  });

  it('come once an epoch, in an order and in crops that seed and place decide', () => {
    const stream = new PictureStream(pictures, 3);
    const labelAt = (n: number) => {
      const { target } = stream.batch(n, 1, 8);
      return target.indexOf(Math.max(...target));
    };
    const epoch = Array.from({ length: CLASSES }, (_, n) => labelAt(n));
    expect(new Set(epoch).size).toBe(CLASSES);
    expect(epoch).not.toEqual([...epoch].sort((a, b) => a - b));
    const both = stream.batch(198, 4, 16);
    const last = new PictureStream(pictures, 3).batch(200, 2, 16);
    expect(both.image.slice(2 * 16 * 16 * 3)).toEqual(last.image);
    expect(both.target.slice(2 * CLASSES)).toEqual(last.target);
    expect(new PictureStream(pictures, 4).batch(200, 2, 16).target).not.toEqual(last.target);
  });

  it('have smoothed labels that sum to 1, and keep their colour but for a tint', () => {
    const { image, target } = new PictureStream(pictures, 3).batch(0, 1, 16);
    expect(target.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    const label = target.indexOf(Math.max(...target));
    const colour = pictures.pixels.subarray(label * PICTURE_SIZE ** 2 * 3).subarray(0, 3);
    for (const [c, byte] of colour.entries()) {
      const expected = byte / 127.5 - 1;
      for (let k = c; k < image.length; k += 3) expect(image[k]).toBeCloseTo(image[c]!, 5);
      expect(Math.abs(image[c]! - expected)).toBeLessThanOrEqual(0.25 * Math.abs(expected) + 0.02);
    }
  });
});
