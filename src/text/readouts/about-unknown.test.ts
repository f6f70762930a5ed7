/** What is said of a model of an architecture that is not known. */
import { expect, it } from 'vitest';
import { parseConfig, UnknownFamily } from '../lm/config.js';
import { aboutUnknown } from './about-unknown.js';

function about(config: object) {
  try {
    parseConfig(config, 'config.json');
  } catch (error) {
    if (error instanceof UnknownFamily) return aboutUnknown(error);
    throw error;
  }
  throw new Error('the family is known');
}

it('gives the sizes that config.json says, under whatever name, and names the others', () => {
  const text_config = { n_layer: 3, num_attention_heads: 4, hidden_size: 64, vocab_size: 99, n_ctx: '8' };
  expect(about({ model_type: 'newest', text_config, bos_token_id: 0, head_dim: -1 })).toEqual({
    kind: 'unknown',
    architecture: 'newest',
    sizes: {
      layers: 3,
      heads: 4,
      key_value_heads: null,
      d_model: 64,
      d_head: null,
      d_mlp: null,
      vocabulary: 99,
    },
    context: null,
    window: null,
    bos_token_id: 0,
    experts: null,
    unknown: ['key_value_heads', 'd_head', 'd_mlp', 'context', 'positions', 'units'],
  });
});
