/** @file Model folders with random weights: what a network of a known shape costs, whatever it says. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/random.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import { type WriteOptions, writeSafetensors } from '../src/engine/weights/safetensors.js';
import { parseConfig } from '../src/text/lm/config.js';
import { parameterShapes } from '../src/text/lm/parameters.js';
import { tokenizerFiles } from './made-up-tokenizer.js';

/** What config.json holds, by name. */
export const shapes = {
  'gpt2-small': {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    bos_token_id: 0,
    eos_token_id: 0,
    n_layer: 12,
    n_head: 12,
    n_embd: 768,
    vocab_size: 50257,
    n_positions: 1024,
  },
  'smollm2-135m': {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    bos_token_id: 0,
    eos_token_id: 0,
    num_hidden_layers: 30,
    hidden_size: 576,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    vocab_size: 49152,
    max_position_embeddings: 8192,
    rope_theta: 100000,
    tie_word_embeddings: true,
  },
  'gemma-2-2b': {
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    bos_token_id: 0,
    eos_token_id: 0,
    num_hidden_layers: 26,
    hidden_size: 2304,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    intermediate_size: 9216,
    vocab_size: 256000,
    max_position_embeddings: 8192,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 4096,
  },
  /** As Gemma 2, with half the layers of half the width and half the tokens: 0.8 GB that stay in half precision. */
  'gemma-2-400m': {
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    bos_token_id: 0,
    eos_token_id: 0,
    num_hidden_layers: 13,
    hidden_size: 1152,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 256,
    intermediate_size: 4608,
    vocab_size: 128000,
    max_position_embeddings: 8192,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 4096,
  },
} as const satisfies Record<string, { vocab_size: number; [key: string]: unknown }>;
export type Shape = keyof typeof shapes;

/** A shard ends with the weight that brings it to so many elements. */
const SHARD = 2 ** 28;

/** Normal weights of deviation 0.02, norms of one, no biases; in shards, with a tokenizer of made-up words. */
export function writeRandomModel(shape: Shape, folder: string, dtype: WriteOptions['dtype']): void {
  mkdirSync(folder, { recursive: true });
  const config = shapes[shape];
  const json = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  json('config.json', config);
  for (const [name, content] of Object.entries(tokenizerFiles(config.vocab_size))) json(name, content);

  const shards: [name: string, shape: readonly number[]][][] = [[]];
  let elements = 0;
  for (const weight of parameterShapes(parseConfig(config, folder))) {
    if (elements >= SHARD) {
      shards.push([]);
      elements = 0;
    }
    shards.at(-1)!.push(weight);
    elements += sizeOf(weight[1]);
  }
  const fill = filler();
  const weightMap: Record<string, string> = {};
  for (const [number, weights] of shards.entries()) {
    const [part, parts] = [number + 1, shards.length].map((n) => `${n}`.padStart(5, '0'));
    const file = `model-${part}-of-${parts}.safetensors`;
    for (const [name] of weights) weightMap[name] = file;
    const arrays = weights.map(([name, shape]) => [name, { shape, data: fill(name, shape) }] as const);
    writeSafetensors(join(folder, file), arrays, { ...(dtype && { dtype }) });
  }
  json('model.safetensors.index.json', { metadata: {}, weight_map: weightMap });
}

/** Numbers are picked from a table at random: drawing billions from the distribution itself would take minutes. */
function filler(): (name: string, shape: readonly number[]) => Float32Array {
  const table = new Random(0).normals(2 ** 16).map((x) => 0.02 * x);
  let state = 1;
  return (name, shape) => {
    const data = new Float32Array(sizeOf(shape));
    // Gemma's norms multiply by 1 + 1.
    if (shape.length === 1) return data.fill(name.endsWith('weight') ? 1 : 0);
    for (let i = 0; i < data.length; i++) {
      // Numerical Recipes' generator; its upper bits are the random ones.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[i] = table[state >>> 16]!;
    }
    return data;
  };
}
