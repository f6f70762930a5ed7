import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../engine/functions/tfjs.js';
import { parseConfig } from './config.js';
import { parameterShapes } from './parameters.js';
import type { Place } from './places.js';
import type { TransformerSpec } from './spec.js';
import { forward } from './transformer.js';

beforeAll(() => tf.setBackend('cpu'));

const sizes = { vocab_size: 11, max_position_embeddings: 5, hidden_size: 8, intermediate_size: 12 };
const llama = parseConfig(
  { ...sizes, model_type: 'llama', num_hidden_layers: 3, num_attention_heads: 2 },
  'config.json',
);
const neox = parseConfig(
  { ...sizes, model_type: 'gpt_neox', num_hidden_layers: 3, num_attention_heads: 2, rotary_pct: 0.5 },
  'config.json',
);

/** The weights that asking for a place reads. */
function readFor(spec: TransformerSpec, place: Place): string[] {
  const shapes = parameterShapes(spec);
  const read = new Set<string>();
  tf.tidy(() => {
    const ids = tf.tensor([[1, 2, 3]], [1, 3], 'int32');
    forward(
      spec,
      (name) => {
        read.add(name);
        return tf.randomNormal([...shapes.get(name)!]);
      },
      { ids },
    ).at(place);
  });
  return [...read].map((name) => name.replace(/^(model|gpt_neox)\./, '')).sort();
}

describe('a place', () => {
  it('reads only the layers below it', () => {
    expect(readFor(llama, 'blocks.0.hook_resid_pre')).toEqual(['embed_tokens.weight']);
    const second = readFor(llama, 'blocks.1.attn.hook_result').filter((name) => name.startsWith('layers.1.'));
    expect(second).toEqual([
      'layers.1.input_layernorm.weight',
      'layers.1.self_attn.k_proj.weight',
      'layers.1.self_attn.o_proj.weight',
      'layers.1.self_attn.q_proj.weight',
      'layers.1.self_attn.v_proj.weight',
    ]);
    expect(readFor(llama, 'blocks.1.mlp.hook_post').filter((name) => /layers\.[12]\.mlp/.test(name))).toEqual(
      ['layers.1.mlp.gate_proj.weight', 'layers.1.mlp.up_proj.weight'],
    );
    expect(readFor(llama, 'blocks.1.mlp.hook_pre').filter((name) => /layers\.1\.mlp/.test(name))).toEqual([
      'layers.1.mlp.gate_proj.weight',
    ]);
  });

  it('in a parallel MLP reads nothing of that layer’s attention', () => {
    const own = readFor(neox, 'blocks.2.mlp.hook_post').filter((name) => name.startsWith('layers.2.'));
    expect(own.filter((name) => name.includes('attention.'))).toEqual([]);
    expect(own).toContain('layers.2.post_attention_layernorm.weight');
  });

  it('that the model lacks is an error', () => {
    expect(() => readFor(llama, 'blocks.3.attn.hook_z')).toThrow(
      '3 layers has no place "blocks.3.attn.hook_z"',
    );
    expect(() => readFor(neox, 'blocks.0.hook_resid_mid')).toThrow('no place');
    expect(() => readFor(llama, 'blocks.0.attn.hook_x' as Place)).toThrow('no place');
  });
});

describe('a sequence longer than the context', () => {
  it('is refused', () => {
    const ids = tf.zeros([1, 6], 'int32');
    expect(() => forward(llama, () => ids, { ids })).toThrow(/6 tokens is longer than .* context of 5/);
  });
});

describe('a long sequence', () => {
  it('begins like a short one, though its attention is computed by blocks', () => {
    const spec = { ...llama, context: 200, layers: 2 };
    const weights = new Map(
      [...parameterShapes(spec)].map(([name, shape]) => [name, tf.randomNormal([...shape])]),
    );
    const ids = (pos: number) =>
      tf.tensor(
        Array.from({ length: pos }, (_, i) => (7 * i * i) % 11),
        [1, pos],
        'int32',
      );
    const z = (pos: number) =>
      forward(spec, (name) => weights.get(name)!, { ids: ids(pos) }).at('blocks.1.attn.hook_z');
    const start = tf.slice(z(150), [0, 0, 0, 0], [1, 100, 2, 4]);
    expect(tf.max(tf.abs(tf.sub(start, z(100)))).dataSync()[0]).toBeLessThan(1e-4);
  });
});
