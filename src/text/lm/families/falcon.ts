/** @file Falcon: three ways to pack queries, keys and values, one norm or two, rotary positions or ALiBi. */
import type { LayerNames, ModuleNames } from '../spec.js';
import { basicSpec, family } from './family.js';
import { activation, commonKeys, flag, headCount, layerCount, length, positive, width } from './keys.js';
import { ropeKeys, rotary, rotaryPositions } from './rope.js';

const keys = {
  ...commonKeys,
  ...ropeKeys,
  hidden_size: width,
  num_attention_heads: headCount,
  num_kv_heads: headCount.optional(),
  num_hidden_layers: layerCount,
  ffn_hidden_size: width.optional(),
  max_position_embeddings: length.default(2048),
  layer_norm_epsilon: positive.default(1e-5),
  activation: activation.default('gelu'),
  bias: flag.default(false),
  alibi: flag.default(false),
  multi_query: flag.default(true),
  new_decoder_architecture: flag.default(false),
  parallel_attn: flag.default(true),
  num_ln_in_parallel_attn: layerCount.optional(),
};

const layer: LayerNames = {
  attention: { kind: 'fused', queryKeyValue: 'self_attention.query_key_value', order: 'head,part' },
  output: 'self_attention.dense',
  up: 'mlp.dense_h_to_4h',
  down: 'mlp.dense_4h_to_h',
};
const modules: Omit<ModuleNames, 'layer'> = {
  prefix: 'transformer.',
  tokenEmbedding: 'word_embeddings',
  finalNorm: 'ln_f',
  unembedding: 'lm_head',
  layers: 'h',
  matrices: 'out,in',
};

export const falcon = family(keys, (config, unsupported) => {
  const { hidden_size: dModel, num_attention_heads: heads, num_hidden_layers: layers, bias } = config;
  const { new_decoder_architecture: newer, parallel_attn: parallel } = config;
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  // Falcon-7B's "num_kv_heads" says otherwise, and is not looked at.
  const single = !newer && config.multi_query;
  const norms =
    newer && parallel && (config.num_ln_in_parallel_attn ?? 2) === 2
      ? { attentionNorm: 'ln_attn', mlpNorm: 'ln_mlp' }
      : {
          attentionNorm: 'input_layernorm',
          mlpNorm: parallel ? 'input_layernorm' : 'post_attention_layernorm',
        };
  return {
    ...basic,
    kvHeads: single ? 1 : (config.num_kv_heads ?? heads),
    modules: {
      ...modules,
      layer: {
        ...layer,
        ...norms,
        // One key and one value behind all queries.
        ...(single && { attention: { ...layer.attention, order: 'part,head' } as LayerNames['attention'] }),
      },
    },
    dMlp: config.ffn_hidden_size ?? 4 * dModel,
    context: config.max_position_embeddings,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: config.alibi
      ? { kind: 'alibi', scale: basic.attentionScale }
      : rotaryPositions(layers, rotary(config, basic, unsupported)),
    biases: { qkv: bias, output: bias, mlp: bias, unembedding: false },
    parallelResidual: parallel,
    activation: config.activation,
  };
});
