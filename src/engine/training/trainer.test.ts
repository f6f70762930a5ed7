import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import { adamW, cosineSchedule, muon, reshaped, slowed } from './optimizer.js';
import { Trainer, type TrainerOptions } from './trainer.js';

const random = new Random(7);
const x = random.normals(32 * 4);
const targetMatrix = random.normals(4 * 3);
const y = Float32Array.from({ length: 32 * 3 }, (_, i) => {
  const [row, column] = [Math.floor(i / 3), i % 3];
  return [0, 1, 2, 3].reduce((sum, k) => sum + x[row * 4 + k]! * targetMatrix[k * 3 + column]!, 0);
});

const regression = (rule: TrainerOptions['rule'], engine: 'onnx' | 'cpu' = 'onnx'): TrainerOptions => ({
  loss: (inputs, weights) => ({
    loss: tf.mean(
      tf.square(
        tf.sub(
          tf.add(tf.matMul(inputs.x as tf.Tensor2D, weights('w') as tf.Tensor2D), weights('b')),
          inputs.y!,
        ),
      ),
    ) as tf.Scalar,
  }),
  inputs: { x: { shape: [32, 4] }, y: { shape: [32, 3] } },
  parameters: new Map([
    ['w', { shape: [4, 3], data: new Random(1).normals(12) }],
    ['b', { shape: [3], data: new Float32Array(3) }],
  ]),
  rule,
  clipNorm: 5,
  engine,
});

async function train(options: TrainerOptions, steps: number): Promise<{ losses: number[]; w: Float32Array }> {
  const trainer = await Trainer.create(options);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await trainer.step({ x, y }, 0.05)).loss);
  const w = (await trainer.snapshot()).get('w')!.data;
  trainer.dispose();
  return { losses, w };
}

describe('Trainer', () => {
  it('finds the solution of a linear regression with AdamW', async () => {
    const { losses, w } = await train(
      regression(() => adamW()),
      300,
    );
    expect(losses.at(-1)!).toBeLessThan(1e-3 * losses[0]!);
    for (const [i, value] of w.entries()) expect(value).toBeCloseTo(targetMatrix[i]!, 1);
  });

  it('lowers the loss with Muon on matrices', async () => {
    const { losses } = await train(
      regression((_, shape) => (shape.length === 2 ? muon() : adamW())),
      200,
    );
    expect(losses.at(-1)!).toBeLessThan(0.02 * losses[0]!);
  });

  it('takes the same steps compiled and eager', async () => {
    const compiled = await train(
      regression(() => adamW({ weightDecay: 0.1 })),
      5,
    );
    const eager = await train(
      regression(() => adamW({ weightDecay: 0.1 }), 'cpu'),
      5,
    );
    for (const [i, loss] of eager.losses.entries()) expect(compiled.losses[i]!).toBeCloseTo(loss, 4);
  });

  it.each(['onnx', 'cpu'] as const)('trains beside frozen weights on %s', async (engine) => {
    const b = Float32Array.of(0.3, -0.2, 0.1);
    const { parameters, ...options } = regression(() => adamW(), engine);
    const { losses, w } = await train(
      {
        ...options,
        parameters: new Map([['w', parameters.get('w')!]]),
        frozen: new MemoryWeights(new Map([['b', { shape: [3], data: b }]])),
      },
      5,
    );
    // The same as with `b` as a constant of the loss.
    const constant = await train(
      {
        ...options,
        loss: (inputs, weights) => options.loss(inputs, (n) => (n === 'b' ? tf.tensor1d(b) : weights(n))),
        parameters: new Map([['w', parameters.get('w')!]]),
      },
      5,
    );
    expect(losses).toEqual(constant.losses);
    expect(w).toEqual(constant.w);
  });

  it('resumes from a snapshot exactly', async () => {
    const options = regression(() => adamW());
    const whole = await train(options, 6);
    const first = await Trainer.create(options);
    for (let i = 0; i < 3; i++) await first.step({ x, y }, 0.05);
    const second = await Trainer.create(options, { state: await first.snapshot(), steps: first.steps });
    for (let i = 0; i < 3; i++) await second.step({ x, y }, 0.05);
    expect((await second.snapshot()).get('w')!.data).toEqual(whole.w);
  });
});

it('AdamW makes its first step of the size of the learning rate', async () => {
  const trainer = await Trainer.create({
    loss: (_, weights) => ({ loss: tf.sum(tf.mul(weights('w'), tf.tensor1d([3, -0.2]))) as tf.Scalar }),
    inputs: {},
    parameters: new Map([['w', { shape: [2], data: Float32Array.of(1, 1) }]]),
    rule: () => adamW(),
    clipNorm: 1e9,
  });
  const { gradientNorm } = await trainer.step({}, 0.1);
  expect(gradientNorm).toBeCloseTo(Math.hypot(3, 0.2), 5);
  const { data } = (await trainer.snapshot()).get('w')!;
  expect(data[0]!).toBeCloseTo(0.9, 5);
  expect(data[1]!).toBeCloseTo(1.1, 5);
});

describe('rules made of rules', () => {
  it('reshaped: a filter is updated as the matrix it is seen as', async () => {
    const matrix = await train(
      regression((_, shape) => (shape.length === 2 ? muon() : adamW())),
      3,
    );
    const options = regression((_, shape) => (shape.length === 4 ? reshaped(muon(), [4, 3]) : adamW()));
    const filter = await train(
      {
        ...options,
        parameters: new Map([
          ...options.parameters,
          ['w', { shape: [2, 2, 1, 3], data: new Random(1).normals(12) }],
        ]),
        loss: (inputs, weights) =>
          options.loss(inputs, (name) => (name === 'w' ? tf.reshape(weights('w'), [4, 3]) : weights(name))),
      },
      3,
    );
    expect(filter.w).toEqual(matrix.w);
  });

  it('slowed: the same steps as at a share of the rate', async () => {
    const slow = await Trainer.create(regression(() => slowed(adamW({ weightDecay: 0.1 }), 0.5)));
    const plain = await Trainer.create(regression(() => adamW({ weightDecay: 0.1 })));
    for (let i = 0; i < 3; i++) {
      await slow.step({ x, y }, 0.1);
      await plain.step({ x, y }, 0.05);
    }
    const [a, b] = [(await slow.snapshot()).get('w')!.data, (await plain.snapshot()).get('w')!.data];
    for (const [i, value] of b.entries()) expect(a[i]!).toBeCloseTo(value, 6);
  });
});

it('the schedule warms up, peaks and ends at its floor', () => {
  expect(cosineSchedule(0, 100, 10)).toBeCloseTo(0.1);
  expect(cosineSchedule(9, 100, 10)).toBeCloseTo(1);
  expect(cosineSchedule(100, 100, 10)).toBeCloseTo(0.1);
});
