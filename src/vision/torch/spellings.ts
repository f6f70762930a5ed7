/** @file Networks as transformers, torchvision and their authors spell them, renamed to timm's names. */
import type { Renaming } from './renamed.js';

/** Told by one weight's name, after a prefix that all share. */
export interface Spelling {
  readonly telling: RegExp;
  readonly renaming: Renaming;
}

/** ViT, DeiT, DINO and DINOv2 of transformers. */
const transformersVit: Spelling = {
  telling: /^(?:\w+\.)?embeddings\.patch_embeddings\.projection\.weight$/,
  renaming: [
    [/^\w+\.(?=embeddings\.|encoder\.|layernorm\.|pooler\.)/, ''],
    [/^embeddings\.patch_embeddings\.projection\./, 'patch_embed.proj.'],
    [/^embeddings\.position_embeddings$/, 'pos_embed'],
    [/^embeddings\.distillation_token$/, 'dist_token'],
    [/^embeddings\.register_tokens$/, 'reg_token'],
    [/^embeddings\./, ''],
    [/^encoder\.layer\.(?=\d)/, 'blocks.'],
    [/\.attention\.attention\.(query|key|value)\./, (_, part) => `.attn.${part![0]}.`],
    [/\.attention\.output\.dense\./, '.attn.proj.'],
    [/\.intermediate\.dense\./, '.mlp.fc1.'],
    [/^(blocks\.\d+)\.output\.dense\./, '$1.mlp.fc2.'],
    [/\.mlp\.weights_in\./, '.mlp.fc1.'],
    [/\.mlp\.weights_out\./, '.mlp.fc2.'],
    [/\.layernorm_before\./, '.norm1.'],
    [/\.layernorm_after\./, '.norm2.'],
    [/\.layer_scale(\d)\.lambda1$/, '.ls$1.gamma'],
    [/^layernorm\./, 'norm.'],
    [/^(?:cls_)?classifier\./, 'head.'],
    [/^distillation_classifier\./, 'head_dist.'],
  ],
};

/** CLIP of transformers, of which the text's half is left. */
const transformersClip: Spelling = {
  telling: /^vision_model\.embeddings\.patch_embedding\.weight$/,
  renaming: [
    [/^vision_model\./, ''],
    [/^embeddings\.patch_embedding\./, 'patch_embed.proj.'],
    [/^embeddings\.class_embedding$/, 'cls_token'],
    [/^embeddings\.position_embedding\.weight$/, 'pos_embed'],
    [/^pre_layrnorm\./, 'norm_pre.'],
    [/^encoder\.layers\.(?=\d)/, 'blocks.'],
    [/\.self_attn\.([qkv])_proj\./, '.attn.$1.'],
    [/\.self_attn\.out_proj\./, '.attn.proj.'],
    [/\.layer_norm([12])\./, '.norm$1.'],
    [/^post_layernorm\./, 'norm.'],
    [/^visual_projection\./, 'head.'],
  ],
};

const torchvisionVit: Spelling = {
  telling: /^conv_proj\.weight$/,
  renaming: [
    [/^conv_proj\./, 'patch_embed.proj.'],
    [/^class_token$/, 'cls_token'],
    [/^encoder\.pos_embedding$/, 'pos_embed'],
    [/^encoder\.layers\.encoder_layer_(?=\d)/, 'blocks.'],
    [/\.self_attention\.in_proj_/, '.attn.qkv.'],
    [/\.self_attention\.out_proj\./, '.attn.proj.'],
    [/\.ln_([12])\./, '.norm$1.'],
    [/\.mlp\.(?:0|linear_1)\./, '.mlp.fc1.'],
    [/\.mlp\.(?:3|linear_2)\./, '.mlp.fc2.'],
    [/^encoder\.ln\./, 'norm.'],
    [/^heads\.head\./, 'head.'],
  ],
};

/** DINOv2 as its authors publish it. */
const dinov2: Spelling = { telling: /^register_tokens$/, renaming: [[/^register_tokens$/, 'reg_token']] };

const transformersConvNext: Spelling = {
  telling: /^(?:convnext\.)?embeddings\.patch_embeddings\.weight$/,
  renaming: [
    [/^convnext\./, ''],
    [/^embeddings\.patch_embeddings\./, 'stem.0.'],
    [/^embeddings\.layernorm\./, 'stem.1.'],
    [/^encoder\.stages\.(\d+)\.downsampling_layer\./, 'stages.$1.downsample.'],
    [/^encoder\.stages\.(\d+)\.layers\./, 'stages.$1.blocks.'],
    [/\.dwconv\./, '.conv_dw.'],
    [/\.pwconv([12])\./, '.mlp.fc$1.'],
    [/\.layernorm\./, '.norm.'],
    [/\.layer_scale_parameter$/, '.gamma'],
    [/^layernorm\./, 'head.norm.'],
    [/^classifier\./, 'head.fc.'],
  ],
};

/** ConvNeXt as its authors publish it. */
const originalConvNext: Spelling = {
  telling: /^downsample_layers\.0\.0\.weight$/,
  renaming: [
    [/^downsample_layers\.0\./, 'stem.'],
    [/^downsample_layers\.(\d+)\./, 'stages.$1.downsample.'],
    [/^stages\.(\d+)\.(?=\d)/, 'stages.$1.blocks.'],
    [/\.dwconv\./, '.conv_dw.'],
    [/\.pwconv([12])\./, '.mlp.fc$1.'],
    [/^norm\./, 'head.norm.'],
    [/^head\.(?!norm\.)/, 'head.fc.'],
  ],
};

/** Even parts of `features` are the stem and what halves the picture, odd ones are the stages. */
const torchvisionConvNext: Spelling = {
  telling: /^features\.1\.0\.layer_scale$/,
  renaming: [
    [/^features\.0\./, 'stem.'],
    [
      /^features\.(\d+)\./,
      (_, n) => `stages.${Math.floor(Number(n) / 2)}.${Number(n) % 2 ? 'blocks' : 'downsample'}.`,
    ],
    [/\.block\.0\./, '.conv_dw.'],
    [/\.block\.2\./, '.norm.'],
    [/\.block\.3\./, '.mlp.fc1.'],
    [/\.block\.5\./, '.mlp.fc2.'],
    [/\.layer_scale$/, '.gamma'],
    [/^classifier\.0\./, 'head.norm.'],
    [/^classifier\.2\./, 'head.fc.'],
  ],
};

export const spellings: readonly Spelling[] = [
  transformersVit,
  transformersClip,
  torchvisionVit,
  dinov2,
  transformersConvNext,
  originalConvNext,
  torchvisionConvNext,
];
