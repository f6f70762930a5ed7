/** The training of dictionaries: gradients by finite differences, and steps that learn. */
import { expect, it } from 'vitest';
import { Random } from '../src/core/random.js';
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { Trainer } from '../src/engine/training/trainer.js';
import type { WeightArray } from '../src/engine/weights/weights.js';
import { dictionaryLoss, dictionaryRule, firstDictionary, silentCount } from './dictionary.js';
import { SilentLatents } from './silent-latents.js';

const size = { width: 6, latents: 12, k: 2 };
const tokens = 32;
const count = silentCount(size);
const inputs = {
  x: { shape: [tokens, size.width] },
  chosen: { shape: [count], dtype: 'int32' as const },
  silent: { shape: [count] },
};

/** Each token is the sum of two of twelve directions. */
function sparseTokens(): Float32Array {
  const random = new Random(4);
  const directions = firstDictionary(size, 5).get('decoder')!.data;
  const x = new Float32Array(tokens * size.width);
  for (const [i] of x.entries()) {
    const token = Math.floor(i / size.width);
    for (const latent of [token % size.latents, (5 * token + 1) % size.latents])
      x[i]! += directions[latent * size.width + (i % size.width)]! + 0.01 * random.normal();
  }
  return x;
}
const x = sparseTokens();

/** The last three latents are too weak to be among the largest. */
function withWeakOnes(): Map<string, WeightArray> {
  const parameters = firstDictionary(size, 1);
  const weak = (size.latents - count) * size.width;
  const encoder = parameters.get('encoder')!.data;
  for (let i = weak; i < encoder.length; i++) encoder[i]! *= 0.01;
  return parameters;
}
const weakOnes = Int32Array.from({ length: count }, (_, i) => size.latents - count + i);

it('has the gradient of its loss; what silent ones are to explain counts as fixed', async () => {
  const parameters = withWeakOnes();
  const names = [...parameters.keys()];
  const program = await compile(
    ({ x, chosen, silent, ...values }) => {
      const loss = (...arrays: tf.Tensor[]) => {
        const table = new Map(names.map((name, i) => [name, arrays[i]!]));
        return dictionaryLoss(
          size,
          x as tf.Tensor2D,
          { chosen: chosen!, silent: silent! },
          (name) => table.get(name)!,
        ).loss;
      };
      const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => values[name]!));
      return { value, ...Object.fromEntries(names.map((name, i) => [name, grads[i]!])) };
    },
    {
      inputs: {
        ...inputs,
        ...Object.fromEntries([...parameters].map(([name, { shape }]) => [name, { shape }])),
      },
    },
  );
  const run = (silence: number, change?: { name: string; at: number; by: number }) => {
    const arrays = [...parameters].map(([name, { data }]): [string, Float32Array] => [name, data.slice()]);
    if (change) new Map(arrays).get(change.name)![change.at]! += change.by;
    const silent = new Float32Array(count).fill(silence);
    return program.run({ x, chosen: weakOnes, silent, ...Object.fromEntries(arrays) });
  };
  /** Where the gradient is largest, from an element on. */
  const compare = async (silence: number, name: string, from: number, by: number) => {
    const gradients = (await run(silence))[name]!.map(Math.abs);
    gradients.fill(0, 0, from);
    const at = gradients.indexOf(Math.max(...gradients));
    const [up, down] = [await run(silence, { name, at, by }), await run(silence, { name, at, by: -by })];
    const slope = (up.value![0]! - down.value![0]!) / (2 * by);
    expect(slope).not.toBe(0);
    expect((await run(silence))[name]![at]! / slope, `${name} ${silence}`).toBeCloseTo(1, 1);
  };
  for (const name of names) await compare(0, name, 0, 2e-3);
  const weak = size.latents - count;
  await compare(1, 'encoder', weak * size.width, 2e-3);
  await compare(1, 'decoder', weak * size.width, 0.2);
  await compare(1, 'bias', weak, 2e-3);
  program.dispose();
});

it('learns what explains its tokens, with lines of norm 1, and wakes those that are silent', async () => {
  const parameters = withWeakOnes();
  const train = async (wakes: number) => {
    const trainer = await Trainer.create({
      loss: ({ x, ...rest }, weights) => dictionaryLoss(size, x as tf.Tensor2D, rest as never, weights),
      inputs,
      parameters,
      rule: dictionaryRule,
    });
    const losses: number[] = [];
    let fired = new Float32Array();
    for (let i = 0; i < 200; i++) {
      const silent = new Float32Array(count).fill(wakes);
      const { report } = await trainer.step({ x, chosen: weakOnes, silent }, 0.02);
      losses.push(report.unexplained![0]!);
      fired = report.fired as Float32Array<ArrayBuffer>;
    }
    const decoder = (await trainer.snapshot()).get('decoder')!.data;
    trainer.dispose();
    return { losses, decoder, woken: weakOnes.some((latent) => fired[latent]! > 0) };
  };
  const { losses, decoder, woken } = await train(1);
  expect(losses.at(-1)!).toBeLessThan(0.3 * losses[0]!);
  for (let latent = 0; latent < size.latents; latent++)
    expect(Math.hypot(...decoder.subarray(latent * size.width, (latent + 1) * size.width))).toBeCloseTo(1, 5);
  expect(woken).toBe(true);
  expect((await train(0)).woken).toBe(false);
});

it('those count as silent that have not been active for long; the longest silent are chosen', () => {
  const silent = new SilentLatents(size);
  const fired = new Float32Array(size.latents).fill(1);
  fired[7] = 0;
  silent.count(fired, 150_000);
  expect([silent.size, silent.inputs().silent[0]]).toEqual([0, 0]);
  fired[3] = 0;
  silent.count(fired, 150_000);
  const { chosen, silent: counts } = silent.inputs();
  expect([silent.size, ...chosen.subarray(0, 2), ...counts.subarray(0, 2)]).toEqual([1, 7, 3, 1, 0]);
  const resumed = new SilentLatents(size, new Map([['silence', { shape: [12], data: silent.tokens }]]));
  expect(resumed.inputs()).toEqual(silent.inputs());
});
