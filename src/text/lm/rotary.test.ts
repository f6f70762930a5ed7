import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { rotate } from '../../engine/functions/attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import { parseConfig } from './config.js';
import { rotationTables } from './rotary.js';
import type { Rotary } from './spec.js';

beforeAll(() => tf.setBackend('cpu'));

const config = {
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  vocab_size: 9,
  max_position_embeddings: 32,
};
function rotaryOf(more: object): Rotary {
  const { positions } = parseConfig({ ...config, ...more }, 'config.json');
  if (positions.kind !== 'rotary') throw new Error('Llama has rotary positions');
  return positions.layers[0]!;
}

describe('rotary positions', () => {
  it('make products of queries and keys depend on their distance alone', () => {
    const tables = rotationTables(rotaryOf({}), 10);
    const everywhere = (x: tf.Tensor) =>
      rotate(tf.tile(tf.reshape(x, [1, 1, 1, 8]), [1, 1, 10, 1]), { ...tables, rows: null });
    const q = everywhere(tf.randomNormal([8], 0, 1, 'float32', 1));
    const k = everywhere(tf.randomNormal([8], 0, 1, 'float32', 2));
    const products = (tf.reshape(tf.matMul(q, k, false, true), [10, 10]) as tf.Tensor2D).arraySync();
    for (let i = 1; i < 10; i++)
      for (let j = 1; j < 10; j++) expect(products[i]![j]).toBeCloseTo(products[i - 1]![j - 1]!, 4);
    expect(products[0]![0]).not.toBeCloseTo(products[0]![1]!, 2);
  });

  it('stretched linearly by 2 stand at half the place', () => {
    const plain = rotationTables(rotaryOf({}), 5);
    const stretched = rotationTables(rotaryOf({ rope_scaling: { rope_type: 'linear', factor: 2 } }), 10);
    const evenRows = tf.slice(tf.reshape(stretched.cos, [5, 2, 4]), [0, 0, 0], [5, 1, 4]);
    expect(evenRows.dataSync()).toEqual(plain.cos.dataSync());
  });
});
