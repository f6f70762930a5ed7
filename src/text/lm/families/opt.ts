/** @file OPT: learned positions, biases, norms before or behind both halves of a layer. */
import { sameShape } from '../../../engine/tensor-spec.js';
import type { WeightSource } from '../../../engine/weights/weights.js';
import type { ModuleNames } from '../spec.js';
import { basicSpec, type Family, family } from './family.js';
import { activation, commonKeys, flag, headCount, layerCount, length, width } from './keys.js';
import { withArrays } from './presented.js';

const keys = {
  ...commonKeys,
  hidden_size: width,
  num_attention_heads: headCount,
  num_hidden_layers: layerCount,
  ffn_dim: width,
  max_position_embeddings: length,
  word_embed_proj_dim: width.optional(),
  activation_function: activation.default('relu'),
  do_layer_norm_before: flag.default(true),
  _remove_final_layer_norm: flag.default(false),
  layer_norm_elementwise_affine: flag.default(true),
  enable_bias: flag.default(true),
};

const modules: ModuleNames = {
  prefix: 'model.',
  tokenEmbedding: 'decoder.embed_tokens',
  positionEmbedding: 'decoder.embed_positions',
  unembedding: 'lm_head',
  layers: 'decoder.layers',
  layer: {
    attention: {
      kind: 'separate',
      query: 'self_attn.q_proj',
      key: 'self_attn.k_proj',
      value: 'self_attn.v_proj',
    },
    output: 'self_attn.out_proj',
    up: 'fc1',
    down: 'fc2',
  },
  matrices: 'out,in',
};

/** Embeddings narrower than the stream are widened as they are read, and the unembedding with them. */
const present: Family['present'] = (source, nameIn) => {
  const [inwards, outwards] = ['in', 'out'].map((way) => nameIn(`model.decoder.project_${way}.weight`));
  const embedding = nameIn('model.decoder.embed_tokens.weight');
  if (![inwards!, outwards!, embedding].every((name) => source.names.includes(name))) return source;
  const head = nameIn('lm_head.weight');
  const stored = source.names.includes(head) ? head : embedding;
  const [width, narrow] = source.shape(inwards!) as [number, number];
  const fits = sameShape(source.shape(outwards!), [narrow, width]) && source.shape(stored)[1] === narrow;
  if (!fits || source.shape(embedding)[1] !== narrow) return source;
  const shape = (name: string) => [source.shape(name)[0]!, width];
  return withArrays(
    source,
    new Map([
      [embedding, { shape: shape(embedding), read: () => product(source, embedding, inwards!, 'out,in') }],
      [head, { shape: shape(stored), read: () => product(source, stored, outwards!, 'in,out') }],
    ]),
  );
};

/** Rows `[row, inner]` times a matrix of the given axes: `[row, outer]`. */
function product(
  source: WeightSource,
  rows: string,
  matrix: string,
  axes: 'in,out' | 'out,in',
): Float32Array {
  const [count, inner] = source.shape(rows) as [number, number];
  const [a, b] = [source.read(rows), source.read(matrix)];
  const outer = b.length / inner;
  const [alongInner, alongOuter] = axes === 'in,out' ? [outer, 1] : [1, inner];
  const result = new Float32Array(count * outer);
  for (let row = 0; row < count; row++)
    for (let j = 0; j < outer; j++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += a[row * inner + i]! * b[i * alongInner + j * alongOuter]!;
      result[row * outer + j] = sum;
    }
  return result;
}

const read = family(keys, (config, unsupported) => {
  const { hidden_size: dModel, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const { do_layer_norm_before: before, enable_bias: bias } = config;
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  const projected = (config.word_embed_proj_dim ?? dModel) !== dModel;
  const norms = before
    ? { attentionNorm: 'self_attn_layer_norm', mlpNorm: 'final_layer_norm' }
    : { attentionSumNorm: 'self_attn_layer_norm', mlpSumNorm: 'final_layer_norm' };
  return {
    ...basic,
    modules: {
      ...modules,
      ...(before && !config._remove_final_layer_norm && { finalNorm: 'decoder.final_layer_norm' }),
      layer: { ...modules.layer, ...norms },
    },
    dMlp: config.ffn_dim,
    context: config.max_position_embeddings,
    norm: {
      kind: 'layer',
      eps: 1e-5,
      ...(!config.layer_norm_elementwise_affine && { bare: true }),
    },
    positions: { kind: 'learned', offset: 2 },
    biases: { qkv: bias, output: bias, mlp: bias, unembedding: false },
    activation: config.activation_function,
    tiedEmbeddings: config.tie_word_embeddings && !projected,
  };
});

export const opt: Family = { ...read, present };
