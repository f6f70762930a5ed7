import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { engines, runOn } from '../../../test/helpers/engines.js';
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { formatTransforms, parseTransforms, type Transform } from './transform.js';
import { makeView } from './view.js';
import { warp } from './warp.js';

/** What a view shows, and the gradient of `weights . view` with respect to the pictures. */
async function look(
  transforms: readonly Transform[],
  shape: { batch: number; height: number; width: number; channels: number },
  pictures: Float32Array,
  seed: number,
  wanted: readonly [number, number] | null = null,
) {
  const view = makeView(transforms, shape, wanted);
  const size = shape.batch * view.size[0] * view.size[1] * shape.channels;
  const weights = new Random(9).normals(size);
  const pictureShape = [shape.batch, shape.height, shape.width, shape.channels];
  const compiled = await compile(
    ({ x, w, ...inputs }) => {
      const shown = (p: tf.Tensor) => view.apply(p as tf.Tensor4D, inputs);
      const gradient = tf.grad((p) => tf.sum(tf.mul(tf.reshape(shown(p), [-1]), w!)))(x!);
      return { shown: shown(x!), gradient };
    },
    { inputs: { x: { shape: pictureShape }, w: { shape: [size] }, ...view.inputs } },
  );
  const run = (x: Float32Array) => compiled.run({ x, w: weights, ...view.draw(new Random(seed)) });
  const { shown, gradient } = (await run(pictures)) as Record<string, Float32Array>;
  const value = async (x: Float32Array) =>
    ((await run(x)).shown as Float32Array).reduce((sum, y, k) => sum + y * weights[k]!, 0);
  return { shown: shown!, gradient: gradient!, value, size: view.size, dispose: () => compiled.dispose() };
}

const shape = { batch: 2, height: 9, width: 11, channels: 3 };
const pictures = new Random(2).uniforms(2 * 9 * 11 * 3);

const lists = [
  'standard',
  'crop:0.3..0.9,noise:0.1',
  'blur:0.5..2,rotate:40',
  'pad:2,jitter:3,scale:0.5..2,noise:0.01,color:1',
];

describe('views', () => {
  it.each(lists)('%s: gradients are those of finite differences', async (list) => {
    const view = await look(parseTransforms(list, 9), shape, pictures, 7);
    const direction = new Random(8).normals(pictures.length);
    const along = (h: number) => pictures.map((value, k) => value + h * direction[k]!);
    // Everything is linear in the picture, so a long step is exact but for rounding.
    const slope = ((await view.value(along(0.5))) - (await view.value(along(-0.5)))) / 1;
    const expected = view.gradient.reduce((sum, g, k) => sum + g * direction[k]!, 0);
    view.dispose();
    expect(Math.abs(slope - expected)).toBeLessThan(1e-3 * Math.hypot(...view.gradient));
  });

  it('without transforms shows the picture', async () => {
    const view = await look([], shape, pictures, 1);
    expect(view.shown).toEqual(pictures);
    view.dispose();
  });

  it('color changes the contrast and the light of each plane of each picture', async () => {
    const view = await look([{ kind: 'color', strength: 1 }], shape, pictures, 3);
    view.dispose();
    const area = 9 * 11;
    const lines = [0, 1, 2, 3, 4, 5].map((plane) => {
      const entry = (k: number) => (Math.floor(plane / 3) * area + k) * 3 + (plane % 3);
      const [x, y] = [0, 1].map((k) => [pictures[entry(k)]!, view.shown[entry(k)]!]) as [number[], number[]];
      const factor = (y[1]! - x[1]!) / (y[0]! - x[0]!);
      const grey = x[1]! + factor * (0.5 - x[0]!);
      for (let k = 0; k < area; k++) {
        const expected = grey + factor * (pictures[entry(k)]! - 0.5);
        expect(Math.abs(view.shown[entry(k)]! - expected)).toBeLessThan(1e-4);
      }
      return { factor, grey };
    });
    for (const { factor, grey } of lines) {
      expect(Math.abs(Math.log(factor))).toBeLessThan(1.001);
      expect(Math.abs(grey - 0.5)).toBeLessThan(0.2251);
    }
    expect(new Set(lines.map(({ factor }) => factor.toFixed(4))).size).toBe(6);
  });

  it('jitter moves by whole pixels, each picture its own way, grey coming in', async () => {
    const view = await look([{ kind: 'jitter', pixels: 4 }], shape, pictures, 3);
    view.dispose();
    const at = (data: Float32Array, n: number, y: number, x: number) => data[((n * 9 + y) * 11 + x) * 3]!;
    const shifts: string[] = [];
    for (const n of [0, 1]) {
      for (let dy = -2; dy <= 2; dy++) {
        for (let dx = -2; dx <= 2; dx++) {
          let agrees = true;
          for (let y = 0; y < 9; y++) {
            for (let x = 0; x < 11; x++) {
              const [sy, sx] = [y + dy, x + dx];
              const inside = sy >= 0 && sy < 9 && sx >= 0 && sx < 11;
              const expected = inside ? at(pictures, n, sy, sx) : 0.5;
              agrees &&= Math.abs(at(view.shown, n, y, x) - expected) < 1e-5;
            }
          }
          if (agrees) shifts.push(`${n}: ${dy}, ${dx}`);
        }
      }
    }
    expect(shifts).toHaveLength(2);
    expect(shifts[0]!.slice(3)).not.toBe(shifts[1]!.slice(3));
  });

  it('a pad is grey all around; a size that the network wants is reached', async () => {
    const padded = await look([{ kind: 'pad', pixels: 2 }], shape, pictures, 1);
    padded.dispose();
    expect(padded.size).toEqual([13, 15]);
    expect(padded.shown[0]).toBe(0.5);
    expect(padded.shown[(2 * 15 + 2) * 3]).toBeCloseTo(pictures[0]!, 6);
    const resized = await look([{ kind: 'pad', pixels: 2 }], shape, pictures, 1, [20, 20]);
    resized.dispose();
    expect(resized.size).toEqual([20, 20]);
  });

  it('a quarter turn is one', async () => {
    const square = { batch: 1, height: 5, width: 5, channels: 1 };
    const picture = new Random(4).uniforms(25);
    const turned = await look([{ kind: 'rotate', degrees: { low: 90, high: 90 } }], square, picture, 1);
    turned.dispose();
    const clockwise = Array.from({ length: 25 }, (_, k) => picture[(4 - (k % 5)) * 5 + Math.floor(k / 5)]!);
    const counter = Array.from({ length: 25 }, (_, k) => picture[(k % 5) * 5 + 4 - Math.floor(k / 5)]!);
    const error = (expected: number[]) =>
      Math.max(...expected.map((value, k) => Math.abs(value - turned.shown[k]!)));
    expect(Math.min(error(clockwise), error(counter))).toBeLessThan(1e-4);
  });

  it.each(engines.filter(({ skipped }) => !skipped).map(({ engine }) => engine))(
    'warp on %s',
    async (engine) => {
      const map = [0.9, 0.2, 0.7, -0.1, 1.1, -1.3];
      const { shown } = await runOn(
        engine,
        ({ x, maps }) => ({ shown: warp(x as tf.Tensor4D, maps!, [4, 6]) }),
        {
          x: { shape: [1, 9, 11, 3], data: pictures.slice(0, 297) },
          maps: { shape: [1, 6], data: Float32Array.from(map) },
        },
      );
      const at = (y: number, x: number, c: number) =>
        y < 0 || y > 8 || x < 0 || x > 10 ? 0.5 : pictures[(y * 11 + x) * 3 + c]!;
      const expected = Array.from({ length: 4 * 6 * 3 }, (_, k) => {
        const [row, column, c] = [Math.floor(k / 18) - 1.5, (Math.floor(k / 3) % 6) - 2.5, k % 3];
        const y = map[0]! * row + map[1]! * column + map[2]! + 4;
        const x = map[3]! * row + map[4]! * column + map[5]! + 5;
        const [top, left] = [Math.floor(y), Math.floor(x)];
        const [b, a] = [y - top, x - left];
        return (
          (1 - b) * ((1 - a) * at(top, left, c) + a * at(top, left + 1, c)) +
          b * ((1 - a) * at(top + 1, left, c) + a * at(top + 1, left + 1, c))
        );
      });
      expect(Math.max(...expected.map((value, k) => Math.abs(value - shown!.data[k]!)))).toBeLessThan(1e-5);
    },
  );
});

describe('parseTransforms', () => {
  const range = (min: number, max: number) =>
    fc
      .tuple(fc.integer({ min: min * 8, max: max * 8 }), fc.integer({ min: min * 8, max: max * 8 }))
      .map(([a, b]) => ({ low: Math.min(a, b) / 8, high: Math.max(a, b) / 8 }));
  const transform: fc.Arbitrary<Transform> = fc.oneof(
    fc.record({ kind: fc.constantFrom('pad' as const, 'jitter' as const), pixels: fc.nat({ max: 256 }) }),
    fc.record({ kind: fc.constant('scale' as const), factor: range(1, 20) }),
    fc.record({ kind: fc.constant('rotate' as const), degrees: range(-180, 180) }),
    fc.record({ kind: fc.constant('crop' as const), share: fc.constant({ low: 0.25, high: 1 }) }),
    fc.record({ kind: fc.constant('blur' as const), sigma: range(0, 8) }),
    fc.record({ kind: fc.constant('noise' as const), deviation: range(0, 2) }),
    fc.record({
      kind: fc.constant('color' as const),
      strength: fc.integer({ min: 0, max: 16 }).map((k) => k / 4),
    }),
  );

  it('gives back what formatTransforms wrote', () => {
    fc.assert(
      fc.property(fc.array(transform, { maxLength: 5 }), (list) => {
        expect(parseTransforms(formatTransforms(list), 128)).toEqual(list);
      }),
    );
  });

  it('names what is wrong', () => {
    expect(() => parseTransforms('jiter:8', 128)).toThrow(/no transform "jiter"; did you mean "jitter"/);
    expect(() => parseTransforms('scale:9..1', 128)).toThrow(UsageError);
    expect(() => parseTransforms('noise', 128)).toThrow(/"noise" wants a number or a range/);
    expect(() => parseTransforms('jitter:-3', 128)).toThrow(/from 0 to 512/);
  });
});
