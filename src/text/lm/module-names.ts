/** @file How the families of transformers name their modules and lay out their matrices. */

/** Names of a family's modules; a parameter is a module's `.weight` or `.bias`. */
export interface ModuleNames {
  /** In front of every name but the unembedding's; files of a model without its head lack it. */
  readonly prefix: string;
  readonly tokenEmbedding: string;
  readonly positionEmbedding?: string;
  readonly finalNorm: string;
  readonly unembedding: string;
  /** In front of a layer's number. */
  readonly layers: string;
  readonly layer: {
    readonly attentionNorm: string;
    readonly attention:
      | { readonly kind: 'separate'; readonly query: string; readonly key: string; readonly value: string }
      | {
          /** One projection, its outputs ordered (part, head, dHead) or (head, part, dHead). */
          readonly kind: 'fused';
          readonly queryKeyValue: string;
          readonly order: 'part,head' | 'head,part';
        };
    readonly queryNorm?: string;
    readonly keyNorm?: string;
    readonly output: string;
    readonly mlpNorm: string;
    /** Of gated MLPs. */
    readonly gate?: string;
    readonly up: string;
    readonly down: string;
  };
  /** Axes of a layer's matrices: y = x W for `in,out` (GPT-2's "Conv1D"), y = x W^T for `out,in`. */
  readonly matrices: 'in,out' | 'out,in';
}

export const llamaModules: ModuleNames = {
  prefix: 'model.',
  tokenEmbedding: 'embed_tokens',
  finalNorm: 'norm',
  unembedding: 'lm_head',
  layers: 'layers',
  layer: {
    attentionNorm: 'input_layernorm',
    attention: {
      kind: 'separate',
      query: 'self_attn.q_proj',
      key: 'self_attn.k_proj',
      value: 'self_attn.v_proj',
    },
    output: 'self_attn.o_proj',
    mlpNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
  matrices: 'out,in',
};

export const qwen3Modules: ModuleNames = {
  ...llamaModules,
  layer: { ...llamaModules.layer, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
};

export const gpt2Modules: ModuleNames = {
  prefix: 'transformer.',
  tokenEmbedding: 'wte',
  positionEmbedding: 'wpe',
  finalNorm: 'ln_f',
  unembedding: 'lm_head',
  layers: 'h',
  layer: {
    attentionNorm: 'ln_1',
    attention: { kind: 'fused', queryKeyValue: 'attn.c_attn', order: 'part,head' },
    output: 'attn.c_proj',
    mlpNorm: 'ln_2',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
  matrices: 'in,out',
};

export const gptNeoModules: ModuleNames = {
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

export const gptNeoxModules: ModuleNames = {
  prefix: 'gpt_neox.',
  tokenEmbedding: 'embed_in',
  finalNorm: 'final_layer_norm',
  unembedding: 'embed_out',
  layers: 'layers',
  layer: {
    attentionNorm: 'input_layernorm',
    attention: { kind: 'fused', queryKeyValue: 'attention.query_key_value', order: 'head,part' },
    output: 'attention.dense',
    mlpNorm: 'post_attention_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  matrices: 'out,in',
};
