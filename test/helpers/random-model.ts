/** @file Tiny transformers with random weights, for tests against brute force. */
import { Random } from '../../src/core/random.js';
import type { EngineName } from '../../src/engine/compile.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';
import { MemoryWeights, type WeightArray } from '../../src/engine/weights/weights.js';
import type { Lora } from '../../src/rl/lora.js';
import { parseConfig } from '../../src/text/lm/config.js';
import type { TextWeights } from '../../src/text/lm/model.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';
import type { Subject } from '../../src/text/lm/subject.js';
import { Calibration } from '../../src/text/readouts/calibration.js';
import type { HeadMeasure } from '../../src/text/readouts/head-measures.js';
import { openObjective } from '../../src/text/readouts/objective.js';
import { referenceClass } from '../../src/text/readouts/reference.js';

const sizes = { vocab_size: 13, max_position_embeddings: 9 };

/** Configurations that differ in all that matters to measures: norms, biases, shared key-value heads, tied embeddings. */
export const tinyConfigs = {
  llama: {
    ...sizes,
    model_type: 'llama',
    hidden_size: 12,
    intermediate_size: 10,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 6,
    bos_token_id: 0,
  },
  gpt2: {
    ...sizes,
    model_type: 'gpt2',
    n_positions: 9,
    n_embd: 12,
    n_inner: 10,
    n_layer: 2,
    n_head: 3,
    bos_token_id: 0,
  },
  gpt_neox: {
    ...sizes,
    model_type: 'gpt_neox',
    hidden_size: 12,
    intermediate_size: 10,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    rotary_pct: 0.5,
    bos_token_id: 0,
  },
} as const;

/** Parameters of a config, drawn at a scale that makes heads choose and neurons bend. */
export function randomModel(config: object, seed = 1): TextWeights & { arrays: [string, WeightArray][] } {
  const spec = parseConfig(config, 'config.json');
  const arrays = [...parameterShapes(spec)].map(([name, shape]): [string, WeightArray] => {
    const random = Random.of(seed, name);
    const isNorm = shape.length === 1 && name.endsWith('weight');
    const data = Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * 0.6 + (isNorm ? 1 : 0));
    return [name, { shape, data }];
  });
  return { spec, weights: new MemoryWeights(new Map(arrays)), arrays };
}

/** A subject without a tokenizer: texts begin with token 0, and `banned` are in none. */
export const subjectOf = (
  { spec, weights }: TextWeights,
  banned: readonly number[] = [0],
  engine: EngineName = 'onnx',
): Subject => ({ spec, weights, engine, start: 0, special: banned, excluded: () => banned });

/** An objective and its rivals, for a model without a tokenizer. */
export function unitsOf(
  { spec }: Pick<TextWeights, 'spec'>,
  name: string,
  reference = 'none',
  measure: HeadMeasure = 'raw',
  tokenId: (text: string) => number | null = () => null,
) {
  const context = { spec, measure, tokenId };
  const objective = openObjective(name, context);
  return { objective, reference: referenceClass(reference, objective, context, 0) };
}

/** Statistics over given sequences, `[rows, positions]`. */
export const calibrationOn = (model: TextWeights, ids: Int32Array, positions: number): Calibration =>
  new Calibration({
    subject: subjectOf(model),
    text: async () => ({ ids, positions, source: 'corpus', key: 'given' }),
  });

/** An adapter as training leaves it: nothing is zero. */
export function trainedLora(lora: Lora, seed = 5): Lora {
  const arrays = [...lora.arrays].map(([name, { shape, data }]) => {
    const random = Random.of(seed, name);
    return [name, { shape, data: data.map((x) => x + 0.3 * random.normal()) }] as const;
  });
  return { ...lora, arrays: new Map(arrays) };
}
