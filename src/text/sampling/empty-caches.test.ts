/** Texts drawn behind a prefix, against the likeliest tokens of whole sequences. */
import { expect, it } from 'vitest';
import { runOn } from '../../../test/helpers/engines.js';
import { randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { resident } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { forward } from '../lm/transformer.js';
import { Sampler } from './sampler.js';

const { spec, weights } = randomModel(tinyConfigs.llama, 3);
const prefix = [5, 2, 0];
const POSITIONS = 5;
const changedOne = 'model.layers.0.self_attn.v_proj.weight';

/** What is drawn where only the likeliest is: one token after the other, nothing cached. */
async function likeliest(factor: number): Promise<number[]> {
  const row = [...prefix];
  while (row.length < prefix.length + POSITIONS - 1) {
    const { best } = await runOn(
      'cpu',
      ({ ids }, lookup) => {
        const changed = (name: string) => (name === changedOne ? tf.mul(lookup(name), factor) : lookup(name));
        const last = tf.slice(forward(spec, changed, { ids: ids! }).at('logits'), [0, row.length - 1, 1]);
        return { best: tf.argMax(tf.reshape(last, [spec.vocab - 1]), 0) };
      },
      { ids: { shape: [1, row.length], data: Int32Array.from(row) } },
      weights,
    );
    row.push(best!.data[0]! + 1);
  }
  return row.slice(prefix.length - 1);
}

it.each(['cpu', 'onnx'] as const)(
  'a prefix is read once, and anew when weights change, on %s',
  async (engine) => {
    const frame = { before: prefix, after: [9] };
    const subject = { ...subjectOf({ spec: { ...spec, frame }, weights }, [0], engine) };
    // Of a model whose first values are turned round, other tokens are the likeliest.
    let factor = await resident(Float32Array.of(1), { shape: [1] }, engine);
    const changing = {
      shapes: new Map([['factor', [1]]]),
      current: () => new Map([['factor', factor]]),
      lookup: (arrays: (name: string) => tf.Tensor, frozen: (name: string) => tf.Tensor) => (name: string) =>
        name === changedOne ? tf.mul(frozen(name), arrays('factor')) : frozen(name),
    };
    const sampler = await Sampler.create({ subject, changing, positions: POSITIONS, batch: 2 });
    const draw = async () => Array.from(await sampler.sample(1, new Random(1), 1e-4));
    expect(await draw()).toEqual(await likeliest(1));
    factor = await resident(Float32Array.of(-1), { shape: [1] }, engine);
    expect(await draw()).toEqual(await likeliest(-1));
    sampler.dispose();
  },
);
