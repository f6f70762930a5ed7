/** @file The families of transformers that can be read: how a Hugging Face config.json describes each. */
import type { ConfigReader } from './config-reader.js';
import {
  gpt2Modules,
  gptNeoModules,
  gptNeoxModules,
  llamaModules,
  type ModuleNames,
  qwen3Modules,
} from './module-names.js';
import type { Activation, Family, Positions, RotaryScaling, TransformerSpec } from './spec.js';

export interface FamilyPreset {
  readonly spec: (config: ConfigReader) => TransformerSpec;
  readonly modules: ModuleNames;
}

// Llama and its relatives.

function llamaSpec(
  family: Family,
  config: ConfigReader,
  choices: Pick<TransformerSpec, 'biases' | 'windows'>,
): TransformerSpec {
  const dModel = config.count('hidden_size');
  const heads = config.count('num_attention_heads');
  const dHead = config.has('head_dim') ? config.count('head_dim') : headSize(config, dModel, heads);
  return {
    family,
    layers: config.count('num_hidden_layers'),
    dModel,
    heads,
    kvHeads: config.count('num_key_value_heads', heads),
    dHead,
    dMlp: config.count('intermediate_size'),
    vocab: config.count('vocab_size'),
    context: config.count('max_position_embeddings'),
    norm: { kind: 'rms', eps: config.number('rms_norm_eps', 1e-6) },
    positions: rotaryPositions(config, dHead, 1),
    attentionScale: 1 / Math.sqrt(dHead),
    qkNorm: family === 'qwen3',
    parallelResidual: false,
    activation: activation(config, 'hidden_act', 'silu'),
    gated: true,
    tiedEmbeddings: config.flag('tie_word_embeddings', false),
    ...specialTokens(config),
    ...choices,
  };
}

/** Qwen keeps full attention in the first `max_window_layers` layers, or as `layer_types` says. */
function qwenWindows(config: ConfigReader): (number | null)[] {
  const layers = config.count('num_hidden_layers');
  if (!config.flag('use_sliding_window', false) || !config.has('sliding_window'))
    return new Array(layers).fill(null);
  const window = config.count('sliding_window');
  const types = config.list('layer_types');
  if (types) return types.map((type) => (type === 'sliding_attention' ? window : null));
  const full = config.number('max_window_layers', 28);
  return Array.from({ length: layers }, (_, layer) => (layer < full ? null : window));
}

// The GPT family.

function gpt2Spec(config: ConfigReader): TransformerSpec {
  if (config.flag('scale_attn_by_inverse_layer_idx', false))
    throw config.unsupported('attention scaled by layer, which is not supported');
  const layers = config.count('n_layer');
  const dModel = config.count('n_embd');
  const heads = config.count('n_head');
  const dHead = headSize(config, dModel, heads);
  return {
    family: 'gpt2',
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    dMlp: config.count('n_inner', 4 * dModel),
    vocab: config.count('vocab_size'),
    context: config.count('n_positions'),
    norm: { kind: 'layer', eps: config.number('layer_norm_epsilon', 1e-5) },
    positions: { kind: 'learned' },
    attentionScale: config.flag('scale_attn_weights', true) ? 1 / Math.sqrt(dHead) : 1,
    windows: new Array(layers).fill(null),
    biases: { qkv: true, output: true, mlp: true },
    qkNorm: false,
    parallelResidual: false,
    activation: activation(config, 'activation_function', 'gelu_new'),
    gated: false,
    tiedEmbeddings: config.flag('tie_word_embeddings', true),
    ...specialTokens(config),
  };
}

function gptNeoSpec(config: ConfigReader): TransformerSpec {
  const dModel = config.count('hidden_size');
  const heads = config.count('num_heads');
  return {
    family: 'gpt_neo',
    layers: config.count('num_layers'),
    dModel,
    heads,
    kvHeads: heads,
    dHead: headSize(config, dModel, heads),
    dMlp: config.count('intermediate_size', 4 * dModel),
    vocab: config.count('vocab_size'),
    context: config.count('max_position_embeddings'),
    norm: { kind: 'layer', eps: config.number('layer_norm_epsilon', 1e-5) },
    positions: { kind: 'learned' },
    // GPT-Neo folded the 1/sqrt(dHead) into its initialization.
    attentionScale: 1,
    windows: gptNeoWindows(config),
    biases: { qkv: false, output: true, mlp: true },
    qkNorm: false,
    parallelResidual: false,
    activation: activation(config, 'activation_function', 'gelu_new'),
    gated: false,
    tiedEmbeddings: config.flag('tie_word_embeddings', true),
    ...specialTokens(config),
  };
}

/** `attention_types` is a list of [pattern of kinds, how often it is repeated]. */
function gptNeoWindows(config: ConfigReader): (number | null)[] {
  const types = (config.list('attention_types') ?? []) as readonly (readonly [readonly string[], number])[];
  const wellFormed = types.every(
    (entry) => Array.isArray(entry) && Array.isArray(entry[0]) && typeof entry[1] === 'number',
  );
  if (!wellFormed || types.length === 0)
    throw config.unsupported('"attention_types" other than [[["global", "local"], repeats], ...]');
  const window = config.count('window_size', 256);
  return types
    .flatMap(([kinds, repeats]) => Array.from({ length: repeats }, () => kinds).flat())
    .map((kind) => {
      if (kind !== 'global' && kind !== 'local') throw config.unsupported(`attention of type "${kind}"`);
      return kind === 'local' ? window : null;
    });
}

function gptNeoxSpec(config: ConfigReader): TransformerSpec {
  const layers = config.count('num_hidden_layers');
  const dModel = config.count('hidden_size');
  const heads = config.count('num_attention_heads');
  const dHead = headSize(config, dModel, heads);
  const bias = config.flag('attention_bias', true);
  const rotated = config.number('partial_rotary_factor', config.number('rotary_pct', 0.25));
  return {
    family: 'gpt_neox',
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    dMlp: config.count('intermediate_size'),
    vocab: config.count('vocab_size'),
    context: config.count('max_position_embeddings'),
    norm: { kind: 'layer', eps: config.number('layer_norm_eps', 1e-5) },
    positions: rotaryPositions(config, dHead, rotated),
    attentionScale: 1 / Math.sqrt(dHead),
    windows: new Array(layers).fill(null),
    biases: { qkv: bias, output: bias, mlp: true },
    qkNorm: false,
    parallelResidual: config.flag('use_parallel_residual', true),
    activation: activation(config, 'hidden_act', 'gelu'),
    gated: false,
    tiedEmbeddings: config.flag('tie_word_embeddings', false),
    ...specialTokens(config),
  };
}

export const families: Readonly<Record<Family, FamilyPreset>> = {
  gpt2: { spec: gpt2Spec, modules: gpt2Modules },
  gpt_neo: { spec: gptNeoSpec, modules: gptNeoModules },
  gpt_neox: { spec: gptNeoxSpec, modules: gptNeoxModules },
  llama: {
    spec: (config) => {
      const bias = config.flag('attention_bias', false);
      return llamaSpec('llama', config, {
        biases: { qkv: bias, output: bias, mlp: config.flag('mlp_bias', false) },
        windows: new Array(config.count('num_hidden_layers')).fill(null),
      });
    },
    modules: llamaModules,
  },
  mistral: {
    spec: (config) =>
      llamaSpec('mistral', config, {
        biases: { qkv: false, output: false, mlp: false },
        windows: new Array(config.count('num_hidden_layers')).fill(
          config.has('sliding_window') ? config.count('sliding_window') : null,
        ),
      }),
    modules: llamaModules,
  },
  qwen2: {
    spec: (config) =>
      llamaSpec('qwen2', config, {
        biases: { qkv: true, output: false, mlp: false },
        windows: qwenWindows(config),
      }),
    modules: llamaModules,
  },
  qwen3: {
    spec: (config) => {
      const bias = config.flag('attention_bias', false);
      return llamaSpec('qwen3', config, {
        biases: { qkv: bias, output: bias, mlp: false },
        windows: qwenWindows(config),
      });
    },
    modules: qwen3Modules,
  },
};

// What the families share.

/** Hugging Face's names of activations. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_fast: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
};

function activation(config: ConfigReader, key: string, fallback: string): Activation {
  const name = config.text(key, fallback);
  const known = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (!known)
    throw config.unsupported(
      `the activation "${name}", which is not supported (${Object.keys(activations).join(', ')} are)`,
    );
  return known;
}

function headSize(config: ConfigReader, dModel: number, heads: number): number {
  if (dModel % heads !== 0)
    throw config.unsupported(`${heads} heads in a width of ${dModel}, which does not divide evenly`);
  return dModel / heads;
}

function specialTokens(config: ConfigReader): Pick<TransformerSpec, 'bos' | 'eos'> {
  return { bos: config.ids('bos_token_id')[0] ?? null, eos: config.ids('eos_token_id') };
}

/** Rotary settings, from the keys of transformers 4 or the `rope_parameters` of transformers 5. */
function rotaryPositions(config: ConfigReader, dHead: number, fraction: number): Positions {
  const parameters = config.object('rope_parameters');
  const scaling = config.object('rope_scaling') ?? parameters;
  const theta =
    parameters?.number('rope_theta', 10000) ??
    config.number('rope_theta', config.number('rotary_emb_base', 10000));
  const turning = parameters?.number('partial_rotary_factor', fraction) ?? fraction;
  return {
    kind: 'rotary',
    dims: Math.trunc(dHead * turning),
    theta,
    scaling: scaling ? rotaryScaling(scaling) : null,
  };
}

function rotaryScaling(config: ConfigReader): RotaryScaling | null {
  const kind = config.text('rope_type', config.text('type', 'default'));
  switch (kind) {
    case 'default':
      return null;
    case 'linear':
      return { kind, factor: config.number('factor') };
    case 'llama3':
      return {
        kind,
        factor: config.number('factor'),
        lowFreqFactor: config.number('low_freq_factor'),
        highFreqFactor: config.number('high_freq_factor'),
        originalContext: config.count('original_max_position_embeddings'),
      };
    default:
      throw config.unsupported(
        `rotary positions of type "${kind}", which is not supported (default, linear and llama3 are)`,
      );
  }
}
