/** @file GPT-Neo. */

import { z } from 'zod';
import { clipped } from '../../../core/visible.js';
import type { ModuleNames } from '../spec.js';
import { basicSpec, family, type Unsupported } from './family.js';
import { gpt2Modules } from './gpt2.js';
import { activation, commonKeys, headCount, layerCount, length, positive, string, width } from './keys.js';

const pattern = z.tuple([z.array(string).min(1).max(1024), layerCount]);
const keys = {
  ...commonKeys,
  hidden_size: width,
  num_heads: headCount,
  num_layers: layerCount,
  intermediate_size: width.optional(),
  max_position_embeddings: length,
  window_size: length.default(256),
  /** Patterns of kinds of attention, each with how often it is repeated. */
  attention_types: z.array(pattern, '[[["global", "local"], repeats], ...]').min(1).max(1024),
  layer_norm_epsilon: positive.default(1e-5),
  activation_function: activation.default('geluTanh'),
};

const modules: ModuleNames = {
  ...gpt2Modules,
  layer: {
    ...gpt2Modules.layer,
    attention: {
      kind: 'separate',
      query: 'attn.attention.q_proj',
      key: 'attn.attention.k_proj',
      value: 'attn.attention.v_proj',
    },
    output: 'attn.attention.out_proj',
  },
  matrices: 'out,in',
};

function windows(
  types: readonly (readonly [string[], number])[],
  window: number,
  unsupported: Unsupported,
): (number | null)[] {
  const kinds: string[] = [];
  for (const [pattern, repeats] of types)
    for (let i = 0; i < repeats && kinds.length <= 1024; i++) kinds.push(...pattern);
  return kinds.map((kind) => {
    if (kind !== 'global' && kind !== 'local') throw unsupported(`attention of type "${clipped(kind)}"`);
    return kind === 'local' ? window : null;
  });
}

export const gptNeo = family(keys, (config, unsupported) => {
  const { hidden_size: dModel, num_heads: heads, num_layers: layers } = config;
  return {
    ...basicSpec(config, { layers, dModel, heads }, unsupported),
    modules,
    dMlp: config.intermediate_size ?? 4 * dModel,
    context: config.max_position_embeddings,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: { kind: 'learned', offset: 0 },
    // GPT-Neo folded the 1/sqrt(dHead) into its initialization.
    attentionScale: 1,
    windows: windows(config.attention_types, config.window_size, unsupported),
    biases: { qkv: false, output: true, mlp: true, unembedding: false },
    activation: config.activation_function,
  };
});
