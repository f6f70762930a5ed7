/** @file The embedded language model: its architecture, its first parameters and update rules. */

import { Random } from '../src/core/random.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import { adamW, muon, type UpdateRule } from '../src/engine/training/optimizer.js';
import type { WeightArray } from '../src/engine/weights/weights.js';
import { parseConfig } from '../src/text/lm/config.js';
import { parameterShapes } from '../src/text/lm/parameters.js';
import type { TransformerSpec } from '../src/text/lm/spec.js';

/** Contents of config.json. */
export const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 192,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  head_dim: 24,
  vocab_size: 4096,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  bos_token_id: 0,
  eos_token_id: 0,
  attention_bias: false,
  mlp_bias: false,
  initializer_range: 0.02,
  torch_dtype: 'float16',
};

export const spec: TransformerSpec = parseConfig(config, 'the language model');

/**
 * Normal parameters, standard deviation 0.02; those that write to the residual stream are smaller by
 * sqrt(2 layers), so that the stream's size does not depend on depth (GPT-2).
 */
export function firstParameters(seed: number): Map<string, WeightArray> {
  const residual = /(o_proj|down_proj)\.weight$/;
  const parameters = new Map<string, WeightArray>();
  for (const [name, shape] of parameterShapes(spec)) {
    const deviation = 0.02 / (residual.test(name) ? Math.sqrt(2 * spec.layers) : 1);
    const random = Random.of(seed, name);
    const data =
      shape.length === 1
        ? new Float32Array(sizeOf(shape)).fill(1)
        : random.normals(sizeOf(shape)).map((x) => x * deviation);
    parameters.set(name, { shape, data });
  }
  return parameters;
}

/** Muon for the matrices of layers, AdamW for embeddings and norms. */
export function updateRule(name: string, shape: readonly number[]): UpdateRule {
  return shape.length === 2 && name.includes('.layers.') ? muon({ weightDecay: 0.1 }) : adamW();
}
