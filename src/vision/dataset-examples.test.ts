import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError, UserError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { compile } from '../engine/compile.js';
import type { Tensor4D } from '../engine/functions/tfjs.js';
import { MemoryWeights } from '../engine/weights/weights.js';
import { finishRun, type RunEvent } from '../runs/events.js';
import type { ChannelUnit } from './channel-unit.js';
import { type DatasetExamplesOptions, datasetExamples } from './dataset-examples.js';
import { GraphBuilder } from './layers/graph.js';
import { param } from './layers/params.js';
import { naturalPictures } from './natural.js';
import { VisionNetwork } from './network.js';
import { range } from './preprocess.js';

const SIZE = 16;
const COUNT = 21;

/** Layer `conv` (4 channels, 8 x 8) and `scores` (2). */
function exampleNetwork(): VisionNetwork {
  const random = new Random(3);
  const array = (...shape: number[]) => ({ shape, data: random.normals(shape.reduce((a, b) => a * b)) });
  const weights = new MemoryWeights(
    new Map([
      ['conv', array(3, 3, 3, 4)],
      ['scores', array(4, 2)],
    ]),
  );
  const g = new GraphBuilder([SIZE, SIZE, 3]);
  const window = { size: [3, 3], strides: [2, 2], dilations: [1, 1], padding: 'same' } as const;
  const conv = g.add({ kind: 'conv', kernel: param(weights, 'conv'), window, groups: 1 }, g.input);
  g.layer('conv', g.add({ kind: 'activation', name: 'relu' }, conv));
  const pooled = g.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: false }, conv);
  g.layer('scores', g.add({ kind: 'dense', kernel: param(weights, 'scores') }, pooled));
  const input = { height: SIZE, width: SIZE, channels: 3, preprocessing: range(-1, 1) };
  return new VisionNetwork({ name: 'example', graph: g.build(), weights, input });
}

const network = exampleNetwork();
const unit = (layer: string, channel: number, position: ChannelUnit['position'] = null): ChannelUnit => ({
  kind: 'channel',
  layer,
  channel,
  position,
});

let folder: string;
/** Activation of picture n, [row, column, channel] of layer `conv`. */
const maps: Float32Array[] = [];
const fileOf = (n: number) => (n % 2 ? join('inner', `${n}.png`) : `${n}.png`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'superstim-examples-'));
  mkdirSync(join(folder, 'inner'));
  const area = SIZE * SIZE * 3;
  const bytes = Uint8Array.from(naturalPictures(new Random(8), COUNT, SIZE, SIZE), (x) =>
    Math.round(255 * x),
  );
  const x = Float32Array.from(bytes, (byte) => byte / 127.5 - 1);
  const compiled = await compile(
    (inputs, weights) => ({ map: network.forward(weights, inputs.x as Tensor4D, [{ layer: 'conv' }])[0]! }),
    { inputs: { x: { shape: [COUNT, SIZE, SIZE, 3] } }, weights: network.weights },
  );
  const { map } = await compiled.run({ x });
  for (let n = 0; n < COUNT; n++) {
    maps.push((map as Float32Array).slice(n * 64 * 4, (n + 1) * 64 * 4));
    const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
    await sharp(bytes.subarray(n * area, (n + 1) * area), { raw })
      .png()
      .toFile(join(folder, fileOf(n)));
  }
  const whole = await sharp(bytes.subarray(0, area), { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .png()
    .toBuffer();
  writeFileSync(join(folder, 'cut.png'), whole.subarray(0, 60));
  writeFileSync(join(folder, 'inner', 'notes.txt'), 'no picture');
  writeFileSync(join(folder, '.hidden'), 'not looked at');
  writeFileSync(join(folder, 'empty.jpg'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function examples(options: Partial<DatasetExamplesOptions> & Pick<DatasetExamplesOptions, 'units'>) {
  const events: RunEvent[] = [];
  const result = await finishRun(datasetExamples({ network, folder, ...options }), (event) =>
    events.push(event),
  );
  return { ...result, events };
}

const channelOf = (n: number, channel: number) => maps[n]!.filter((_, i) => i % 4 === channel);
const meanOf = (n: number, channel: number) => channelOf(n, channel).reduce((a, b) => a + b) / 64;
const maxOf = (n: number, channel: number) => Math.max(...channelOf(n, channel));
/** Files of the pictures with the largest values. */
const strongest = (value: (n: number) => number, count: number) =>
  Array.from({ length: COUNT }, (_, n) => n)
    .sort((a, b) => value(b) - value(a))
    .slice(0, count)
    .map(fileOf);

describe('datasetExamples', () => {
  it('ranks the pictures by the mean of each channel', async () => {
    const { pictures, units } = await examples({ units: [unit('conv', 0), unit('conv', 3)], count: 5 });
    expect(pictures).toBe(COUNT);
    expect(units.map((u) => u.unit)).toEqual(['conv:0', 'conv:3']);
    for (const [i, channel] of [0, 3].entries()) {
      const found = units[i]!.examples;
      expect(found.map(({ file }) => file)).toEqual(strongest((n) => meanOf(n, channel), 5));
      const best = Math.max(...maps.map((_, n) => meanOf(n, channel)));
      expect(found[0]!.mean).toBeCloseTo(best, 4);
    }
  });

  it('ranks by the strongest position on demand, and by its position a unit that has one', async () => {
    const units = [unit('conv', 1), unit('conv', 1, { row: 2, column: 5 })];
    const found = (await examples({ units, by: 'peak', count: 4 })).units;
    expect(found[0]!.examples.map(({ file }) => file)).toEqual(strongest((n) => maxOf(n, 1), 4));
    const at = (n: number) => channelOf(n, 1)[2 * 8 + 5]!;
    expect(found[1]!.examples.map(({ file }) => file)).toEqual(strongest(at, 4));
    expect(found[1]!.examples[0]!.peak).toMatchObject({ row: 2, column: 5 });
  });

  it('cuts out the pixels that the strongest position saw', async () => {
    const { units } = await examples({ units: [unit('conv', 2)], by: 'peak', count: 3 });
    for (const { file, peak, field, crop, picture } of units[0]!.examples) {
      const n = Number(/\d+/.exec(file)![0]);
      expect(channelOf(n, 2).indexOf(maxOf(n, 2))).toBe(peak.row * 8 + peak.column);
      expect([crop.height, crop.width]).toEqual([field.bottom - field.top + 1, field.right - field.left + 1]);
      expect(crop.width).toBeLessThanOrEqual(3);
      const last = (field.bottom * SIZE + field.right) * 3 + 2;
      expect(crop.data.at(-1)).toBe(picture.data[last]);
      expect(crop.data[0]).toBe(picture.data[(field.top * SIZE + field.left) * 3]);
    }
  });

  it('takes a class score too, which depends on the whole picture', async () => {
    const { units } = await examples({ units: [unit('scores', 1)], count: 1 });
    expect(units[0]!.examples[0]!.field).toEqual({ top: 0, bottom: SIZE - 1, left: 0, right: SIZE - 1 });
  });

  it('warns of each file that is no picture, and continues', async () => {
    const { skipped, events } = await examples({ units: [unit('conv', 0)] });
    expect(skipped).toBe(3);
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
    expect(warnings).toHaveLength(3);
    for (const name of ['cut.png', 'notes.txt', 'empty.jpg'])
      expect(warnings.filter((message) => message.includes(name))).toHaveLength(1);
    const progress = events.filter((event) => event.kind === 'progress');
    expect(progress.at(-1)).toMatchObject({ done: COUNT + 3, total: COUNT + 3 });
  });

  it('stops when asked to, with what it found', async () => {
    const controller = new AbortController();
    const run = datasetExamples({ network, folder, units: [unit('conv', 0)], signal: controller.signal });
    const result = await finishRun(run, ({ kind }) => kind === 'progress' && controller.abort());
    expect(result.pictures).toBeGreaterThan(0);
    expect(result.pictures).toBeLessThan(COUNT);
  });

  it('says what is wrong with a folder, a layer or a position', async () => {
    const units = [unit('conv', 0)];
    await expect(examples({ units, folder: join(folder, 'none') })).rejects.toThrow(
      /there is no such folder/,
    );
    await expect(examples({ units, folder: join(folder, '0.png') })).rejects.toThrow(UserError);
    const empty = mkdtempSync(join(folder, 'empty-'));
    await expect(examples({ units, folder: empty })).rejects.toThrow(/holds no picture/);
    await expect(examples({ units: [unit('cnov', 0)] })).rejects.toThrow(UsageError);
    await expect(examples({ units: [unit('conv', 4)] })).rejects.toThrow(UsageError);
    await expect(examples({ units: [unit('conv', 0, { row: 8, column: 0 })] })).rejects.toThrow(UsageError);
  });
});
