import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.js';
import { forLength } from './by-length.js';
import { parseConfig } from './config.js';

const llama = {
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  bos_token_id: 1,
  eos_token_id: [2, 3],
};
const gptNeo = {
  model_type: 'gpt_neo',
  hidden_size: 32,
  num_layers: 4,
  num_heads: 4,
  vocab_size: 101,
  max_position_embeddings: 64,
  window_size: 7,
  attention_types: [[['global', 'local'], 2]],
};
const qwen2 = { ...llama, model_type: 'qwen2' };

const plainTurning = { dims: 8, pairs: 'halves', theta: 10000, scaling: null };

const parse = (config: object) => parseConfig(config, 'config.json');

/** Rotary positions of the first layer. */
function turning(config: object) {
  const { positions } = parse(config);
  return positions.kind === 'rotary' ? positions.layers[0] : null;
}

function complaint(config: unknown): string {
  try {
    parseConfig(config, 'config.json');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseConfig', () => {
  it('reads an unknown architecture as another where it is told to', () => {
    expect(parseConfig({ ...llama, model_type: 'lama' }, 'config.json', 'llama')).toEqual(parse(llama));
    expect(() => parseConfig(llama, 'config.json', 'lama')).toThrow(
      '`family` lama: there is no such family; did you mean "llama"',
    );
  });

  it('fills in what a config leaves out', () => {
    expect(parse(llama)).toMatchObject({
      family: 'llama',
      layers: 5,
      dModel: 64,
      heads: 8,
      kvHeads: 4,
      dHead: 8,
      dMlp: 172,
      vocab: 512,
      context: 512,
      norm: { kind: 'rms', eps: 1e-6 },
      positions: { kind: 'rotary', layers: Array(5).fill(plainTurning) },
      attentionScale: 1 / Math.sqrt(8),
      windows: [null, null, null, null, null],
      biases: { qkv: false, output: false, mlp: false, unembedding: false },
      parallelResidual: false,
      activation: 'silu',
      tiedEmbeddings: false,
      bos: 1,
      eos: [2, 3],
    });
    expect(parse({ ...llama, bos_token_id: null, eos_token_id: undefined })).toMatchObject({
      bos: null,
      eos: [],
    });
  });

  it('knows which layers look back only so far', () => {
    expect(parse(gptNeo).windows).toEqual([null, 7, null, 7]);
    expect(parse({ ...llama, model_type: 'mistral', sliding_window: 9 }).windows).toEqual(Array(5).fill(9));
    expect(parse({ ...llama, model_type: 'mistral', sliding_window: null }).windows).toEqual(
      Array(5).fill(null),
    );
    const sliding = { ...qwen2, use_sliding_window: true, sliding_window: 9 };
    expect(parse({ ...sliding, max_window_layers: 3 }).windows).toEqual([null, null, null, 9, 9]);
    const layer_types = [
      'sliding_attention',
      'full_attention',
      'full_attention',
      'full_attention',
      'full_attention',
    ];
    expect(parse({ ...sliding, layer_types }).windows).toEqual([9, null, null, null, null]);
    expect(parse({ ...sliding, use_sliding_window: false }).windows).toEqual(Array(5).fill(null));
  });

  it('fills in what transformers fills in where a key is missing, and not where it is null', () => {
    const five = (value: unknown) => Array(5).fill(value);
    const of = (model_type: string, more: object = {}) => parse({ ...llama, model_type, ...more });
    expect(of('mistral').windows).toEqual(five(4096));
    expect(of('exaone4').windows).toEqual([4096, 4096, 4096, null, 4096]);
    expect(of('exaone4', { sliding_window: null }).windows).toEqual(five(null));
    expect(of('gemma2')).toMatchObject({ attentionCap: 50, logits: { cap: 30 } });
    expect(of('gemma2', { attn_logit_softcapping: null }).attentionCap).toBeNull();
    expect(of('phi3', { rms_norm_eps: null }).norm.eps).toBe(1e-5);
    expect(of('olmo3').positions).toMatchObject({ layers: five({ theta: 500_000 }) });
    const oss = { num_local_experts: 4, num_experts_per_tok: 2 };
    expect(of('gpt_oss', oss).positions).toMatchObject({
      layers: five({ theta: 150_000, scaling: { kind: 'yarn', factor: 32, truncate: false } }),
    });
    const windows = { use_sliding_window: true, sliding_window: 9, max_window_layers: 3 };
    expect(of('qwen3_moe', windows).windows).toEqual(five(9));
  });

  it('reads rotary settings of transformers 4 and 5', () => {
    const llama3 = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    };
    const expected = {
      ...plainTurning,
      theta: 500000,
      scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 32 },
    };
    expect(turning({ ...llama, rope_theta: 500000, rope_scaling: llama3 })).toEqual(expected);
    expect(turning({ ...llama, rope_parameters: { ...llama3, rope_theta: 500000 } })).toEqual(expected);
    expect(turning({ ...llama, rope_scaling: { type: 'linear', factor: 2 } })).toMatchObject({
      scaling: { kind: 'linear', factor: 2 },
    });
    const neox = { ...llama, model_type: 'gpt_neox', rotary_pct: 0.5, rotary_emb_base: 99 };
    expect(turning(neox)).toMatchObject({ dims: 4, theta: 99 });
  });

  it('reads Phi-3 by its short factors within the context of pre-training, and by the others beyond it', () => {
    const sizes = { max_position_embeddings: 64, original_max_position_embeddings: 16 };
    const rope_scaling = { type: 'longrope', short_factor: [1, 2, 3, 4], long_factor: [5, 6, 7, 8] };
    const phi3 = { ...llama, ...sizes, model_type: 'phi3', rope_scaling };
    expect(parse(phi3).context).toBe(16);
    expect(turning(phi3)).toMatchObject({
      scaling: { factors: [1, 2, 3, 4], magnitude: Math.sqrt(1 + Math.log(4) / Math.log(16)) },
    });
    expect(forLength(parse(phi3), 16)).toEqual(parse(phi3));
    const longer = forLength(parse(phi3), 17);
    expect(longer.context).toBe(64);
    expect(longer.positions).toMatchObject({ layers: { 1: { scaling: { factors: [5, 6, 7, 8] } } } });
    const short = { type: 'longrope', short_factor: [1, 2, 3] };
    expect(complaint({ ...phi3, rope_scaling: short })).toMatch(/need 4 factors/);
  });

  it.each<[string, object]>([
    [
      'at the top beside parameters that lack it',
      { rope_theta: 500000, rope_parameters: { rope_type: 'default' } },
    ],
    ['inside rope_scaling', { rope_scaling: { rope_type: 'default', rope_theta: 500000 } }],
    ['inside rope_parameters', { rope_theta: 7, rope_parameters: { rope_theta: 500000 } }],
  ])('finds rope_theta %s', (_, more) => {
    expect(turning({ ...llama, ...more })).toEqual({ ...plainTurning, theta: 500000 });
  });

  it.each([
    [
      'an unknown architecture',
      { ...llama, model_type: 'lama' },
      /architecture "lama".*`family` llama reads it as its nearest relative/,
    ],
    [
      'one that is named after another',
      { ...llama, model_type: 'llama4_text' },
      /architecture "llama4_text".*`family` llama reads/,
    ],
    ['one like no other', { ...llama, model_type: 'zamba' }, /architecture "zamba".*`family` llama reads/],
    ['no architecture', { hidden_size: 4 }, /has no "model_type"/],
    ['a number that is missing', { ...llama, hidden_size: undefined }, /has no "hidden_size"/],
    [
      'a number that is none',
      { ...llama, hidden_size: '64' },
      /has "64" as "hidden_size", which must be a whole number/,
    ],
    ['no layers', { ...llama, num_hidden_layers: 0 }, /has 0 as "num_hidden_layers".*whole number from 1/],
    ['heads that do not divide the width', { ...llama, num_attention_heads: 7 }, /7 heads in a width of 64/],
    ['kv heads that do not divide the heads', { ...llama, num_key_value_heads: 3 }, /8 heads cannot share 3/],
    ['an odd number of turning dimensions', { ...llama, head_dim: 5 }, /5 of the 5 dimensions/],
    ['another number of layer kinds', { ...gptNeo, num_layers: 3 }, /attention of 4 layers but has 3/],
    ['a kind of attention it does not know', { ...gptNeo, attention_types: [[['wide'], 4]] }, /type "wide"/],
    ['2^31 layers', { ...llama, num_hidden_layers: 2 ** 31 }, /2147483648 as "num_hidden_layers".*to 1024/],
    ['keys of all objects', JSON.parse('{"__proto__": {"model_type": "llama"}}'), /has no "model_type"/],
    [
      'an architecture of all objects',
      { ...llama, model_type: 'constructor' },
      /"constructor".*not supported/,
    ],
    [
      'an unknown activation',
      { ...llama, hidden_act: 'mish' },
      /"mish" as "hidden_act", which must be an activation that is supported/,
    ],
    [
      'unknown rotary scaling',
      { ...llama, rope_scaling: { rope_type: 'spiral' } },
      /type "spiral".*not supported/,
    ],
    ['quantized weights', { ...llama, quantization_config: {} }, /use the unquantized model/],
    ['no object', [], /no JSON object/],
  ])('refuses %s', (_, config, message) => {
    expect(complaint(config)).toMatch(message);
  });
});
