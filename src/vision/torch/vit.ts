/**
 * @file Vision transformers by timm's names: ViT (Dosovitskiy et al., 2020), DeiT, DINO, DINOv2, the image tower of CLIP.
 *
 * Tokens are the class token and its like, then the patches by rows. Layers are maps of the patches, beside which stands
 * the class token.
 */

import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { ResizeOptions } from '../layers/resample.js';
import { imagenet } from '../preprocess.js';
import type { ArchitectureConfig } from './config.js';
import { Modules, type TorchNetwork } from './modules.js';

/** Of every norm, unless config.json says another. */
const EPSILON = 1e-6;

/** Heads of the published widths whose heads are not 64 wide. */
const headsByWidth: ReadonlyMap<number, number> = new Map([
  [1152, 16],
  [1280, 16],
  [1408, 16],
  [1664, 16],
]);

export function vit(source: WeightSource, config: ArchitectureConfig): TorchNetwork {
  const { patch, grid, size } = geometry(source);
  const m = new Modules(source, { size, stem: 'patch_embed.proj' });
  const epsilon = config.epsilon ?? EPSILON;
  const patches = m.layer('patch_embed', m.conv('patch_embed.proj', m.input, { stride: patch }), 'conv');
  const { tokens, prefix } = embedded(m, patches, grid, config);
  const depth = m.count((i) => `blocks.${i}.norm1`);
  const heads = config.heads ?? usualHeads(m.graph.shape(tokens)[2]!);
  const layer = (name: string, node: number, kind: string): number => {
    const cls = prefix > 0 ? m.graph.add({ kind: 'token', index: 0 }, node) : undefined;
    const map = m.graph.add({ kind: 'token map', prefix }, node, patches);
    m.layer(name, map, kind, cls);
    return node;
  };
  let x = m.has('norm_pre') ? m.layerNorm('norm_pre', tokens, epsilon) : tokens;
  for (let i = 0; i < depth; i++) x = block(m, `blocks.${i}`, x, { ...config, epsilon, heads }, layer);
  x = m.has('norm') ? layer('norm', m.layerNorm('norm', x, epsilon), 'layer norm') : x;
  const map = m.graph.add({ kind: 'token map', prefix }, x, patches);
  classifier(m, x, map, prefix, { ...config, epsilon });
  return { name: `vit of ${depth} blocks`, modules: m, size, preprocessing: imagenet, unused };
}

/** The text's half of CLIP, what masked patches are replaced by in training, and a head of transformers that few use. */
const unused = /^(?:text_model|text_projection|logit_scale|mask_token$|pooler)\b|position_ids$/;

/** Side of a patch in pixels, of the grid of patches and of the picture that the positions are made for. */
function geometry(source: WeightSource): { patch: number; grid: number; size: number } {
  const patch = source.shape('patch_embed.proj.weight')[2]!;
  const positions = source.shape('pos_embed').at(-2)!;
  // One or two tokens beside the patches have positions, or registers too.
  const grid = Math.floor(Math.sqrt(positions));
  return { patch, grid, size: patch * grid };
}

function usualHeads(width: number): number {
  const heads = headsByWidth.get(width) ?? width / 64;
  if (Number.isInteger(heads)) return heads;
  throw new UserError(
    `the weights do not tell the number of attention heads: a config.json of timm or transformers beside them does`,
  );
}

/** How positions are resized: by transformers and the authors of DINO, and by timm. */
const cubic: ResizeOptions = { interpolation: 'cubic' };
const antialiased: ResizeOptions = {
  interpolation: 'cubic',
  cubic: -0.5,
  antialias: true,
  excludeOutside: true,
};

/** Patches with their positions, resized where the picture has another size, after the tokens beside them. */
function embedded(
  m: Modules,
  patches: number,
  grid: number,
  config: ArchitectureConfig,
): { tokens: number; prefix: number } {
  const width = m.graph.shape(patches)[3]!;
  const positions = m.constant('pos_embed', (shape) => [1, shape.at(-2)!, width]);
  const count = m.graph.shape(positions)[1]!;
  const slice = (begin: number, end: number): number =>
    m.graph.add({ kind: 'slice', axis: 1, begin, end, step: 1 }, positions);
  /** Tokens that have positions stand first. */
  const placed = count - grid * grid;
  const map = m.graph.add({ kind: 'reshape', shape: [grid, grid, width] }, slice(placed, count));
  const resized = m.graph.add({ kind: 'resize', options: config.isTimm ? antialiased : cubic }, map, patches);
  const own = m.graph.add({ kind: 'to tokens' }, m.add(patches, resized));
  let prefix = 0;
  const before = ['cls_token', 'dist_token', 'reg_token'].flatMap((name) => {
    if (!m.hasArray(name)) return [];
    const token = m.constant(name, (shape) => [1, shape.reduce((a, b) => a * b, 1) / width, width]);
    const start = prefix;
    prefix += m.graph.shape(token)[1]!;
    return [prefix <= placed ? m.add(token, slice(start, prefix)) : token];
  });
  return {
    tokens: before.length > 0 ? m.graph.add({ kind: 'concat', axis: 1 }, ...before, own) : own,
    prefix,
  };
}

type Settings = ArchitectureConfig & { readonly epsilon: number; readonly heads: number };
type TokenLayer = (name: string, node: number, kind: string) => number;

/** Attention, then a layer of neurons for each token, each around a shortcut. */
function block(m: Modules, name: string, input: number, settings: Settings, layer: TokenLayer): number {
  const { epsilon, heads, activation = 'gelu' } = settings;
  const read = m.layerNorm(`${name}.norm1`, input, epsilon);
  const z = m.graph.add(
    { kind: 'attention', heads },
    ...queriesKeysValues(m, `${name}.attn`, read, heads, epsilon),
  );
  layer(`${name}.attn.heads`, m.headNorms(`${name}.attn.proj`, z, heads), 'norm of each head');
  const attended = layer(`${name}.attn`, m.linear(`${name}.attn.proj`, z), 'attention');
  let x = m.add(input, m.hasArray(`${name}.ls1.gamma`) ? m.scaled(`${name}.ls1.gamma`, attended) : attended);

  const before = m.linear(`${name}.mlp.fc1`, m.layerNorm(`${name}.norm2`, x, epsilon));
  const [, , neurons] = m.graph.shape(before) as [number, number, number];
  const gated = neurons === 2 * m.inputs(`${name}.mlp.fc2`);
  layer(`${name}.mlp.fc1`, before, 'dense');
  const after = gated ? m.gated('silu', before) : m.activation(activation, before);
  layer(`${name}.mlp`, after, gated ? 'silu, gated' : activation);
  const added = m.linear(`${name}.mlp.fc2`, after);
  x = m.add(x, m.hasArray(`${name}.ls2.gamma`) ? m.scaled(`${name}.ls2.gamma`, added) : added);
  return layer(name, x, 'block');
}

/** From one array of weights, or from three; normalized by head where the network does that. */
function queriesKeysValues(m: Modules, name: string, x: number, heads: number, epsilon: number): number[] {
  const width = m.graph.shape(x)[2]!;
  const parts = m.has(`${name}.qkv`)
    ? split(m, m.linear(`${name}.qkv`, x), width)
    : ['q', 'k', 'v'].map((part) => m.linear(`${name}.${part}`, x));
  return parts.map((part, i) => {
    const norm = `${name}.${['q', 'k'][i]}_norm`;
    if (!m.has(norm)) return part;
    const byHead = m.graph.add({ kind: 'reshape', shape: [-1, heads, width / heads] }, part);
    return m.graph.add({ kind: 'reshape', shape: [-1, width] }, m.layerNorm(norm, byHead, epsilon));
  });
}

const split = (m: Modules, x: number, width: number): number[] =>
  [0, 1, 2].map((i) =>
    m.graph.add({ kind: 'slice', axis: 2, begin: i * width, end: (i + 1) * width, step: 1 }, x),
  );

/** Reads the class token, the mean of the patches, or both side by side, as the width of its weights says. */
function classifier(
  m: Modules,
  tokens: number,
  map: number,
  prefix: number,
  config: ArchitectureConfig & { readonly epsilon: number },
): void {
  if (!m.has('head')) return;
  const width = m.graph.shape(tokens)[2]!;
  const token = (index: number): number => m.graph.add({ kind: 'token', index }, tokens);
  const mean = (): number => m.adaptiveAveragePool(map, 1);
  const pool = config.pool ?? (prefix === 0 || m.has('fc_norm') ? 'avg' : 'token');
  let x =
    m.inputs('head') === 2 * width
      ? m.graph.add({ kind: 'concat', axis: 1 }, token(0), mean())
      : pool === 'avg'
        ? mean()
        : token(0);
  if (m.has('fc_norm')) x = m.layer('fc_norm', m.layerNorm('fc_norm', x, config.epsilon), 'layer norm');
  const scores = m.layer('head', m.linear('head', x), 'dense');
  if (!m.has('head_dist')) return;
  const distilled = m.layer('head_dist', m.linear('head_dist', token(1)), 'dense');
  const both = m.graph.add({ kind: 'activation', name: 'linear', a: 0.5 }, m.add(scores, distilled));
  m.layer('head.mean', both, 'mean of both heads');
}
