import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeSafetensors } from '../../engine/weights/safetensors.js';
import type { WeightArray } from '../../engine/weights/weights.js';
import type { VisionNetwork } from '../network.js';
import { openVisionNetwork } from '../open.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-torch-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Shapes = Record<string, number[]>;

let count = 0;
/** A model folder with zeros for weights, as the hub's timm repositories look. */
function save(shapes: Shapes, config?: object): string {
  const path = join(folder, String(count++));
  mkdirSync(path);
  const arrays = Object.entries(shapes).map(([name, shape]): [string, WeightArray] => [
    name,
    { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
  ]);
  writeSafetensors(join(path, 'model.safetensors'), arrays);
  if (config) writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return path;
}

const conv = (name: string, outputs: number, inputs: number, size = 3): Shapes => ({
  [`${name}.weight`]: [outputs, inputs, size, size],
  [`${name}.bias`]: [outputs],
});
const norm = (name: string, channels: number): Shapes =>
  Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]),
  );
const bare = (name: string, outputs: number, inputs: number, size = 3): Shapes => ({
  [`${name}.weight`]: [outputs, inputs, size, size],
});

/** A VGG of three narrow convolutions in two blocks. */
const vgg: Shapes = { ...conv('features.0', 4, 3), ...conv('features.2', 6, 4), ...conv('features.5', 8, 6) };

/** A narrow ResNet of one stage with one bottleneck, grouped as in ResNeXt. */
const resnet: Shapes = {
  ...bare('conv1', 8, 3, 7),
  ...norm('bn1', 8),
  ...bare('layer1.0.conv1', 8, 8, 1),
  ...norm('layer1.0.bn1', 8),
  ...bare('layer1.0.conv2', 8, 2),
  ...norm('layer1.0.bn2', 8),
  ...bare('layer1.0.conv3', 16, 8, 1),
  ...norm('layer1.0.bn3', 16),
  ...bare('layer1.0.downsample.0', 16, 8, 1),
  ...norm('layer1.0.downsample.1', 16),
  'fc.weight': [5, 16],
  'fc.bias': [5],
};

const table = (network: VisionNetwork): string[] =>
  network.layers.map(
    ({ name, kind, channels, size }) => `${name} (${kind}) ${[channels, ...size].join('x')}`,
  );

test('a VGG of any depth and width, by torchvision names and the classic ones', () => {
  const network = openVisionNetwork(save(vgg), 'tiny');
  expect(table(network)).toEqual([
    'features.0 (conv, relu) 4x224x224',
    'features.1 (relu) 4x224x224',
    'features.2 (conv, relu) 6x224x224',
    'features.3 (relu) 6x224x224',
    'features.4 (max pool) 6x112x112',
    'features.5 (conv, relu) 8x112x112',
    'features.6 (relu) 8x112x112',
    'features.7 (max pool) 8x56x56',
  ]);
  expect(network.layer('block2_conv1').name).toBe('features.5');
  expect(network.layer('conv1_2').name).toBe('features.2');
  expect(network.layer('block1_pool').name).toBe('features.4');
  expect(() => network.layer('block2_conv2')).toThrow(
    /tiny has no layer "block2_conv2"; did you mean .*"block2_conv1"/,
  );
  expect(network.input.preprocessing?.offset[0]).toBeCloseTo(-0.485 / 0.229);
});

test('a ResNet is read off its weights; config.json says what it was trained on', () => {
  const config = {
    pretrained_cfg: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], input_size: [3, 160, 160] },
  };
  const network = openVisionNetwork(save({ ...resnet, 'bn1.num_batches_tracked': [] }, config));
  expect(table(network).slice(0, 4)).toEqual([
    'conv1 (conv) 8x80x80',
    'bn1 (batch norm, relu) 8x80x80',
    'maxpool (max pool) 8x40x40',
    'layer1.0.conv1 (conv) 8x40x40',
  ]);
  expect(table(network).slice(-4)).toEqual([
    'layer1.0 (block) 16x40x40',
    'layer1 (stage) 16x40x40',
    'avgpool (average pool) 16',
    'fc (dense) 5',
  ]);
  expect(network.input).toMatchObject({
    height: 160,
    preprocessing: { scale: [4, 4, 4], offset: [-2, -2, -2] },
  });
});

test('a variant is refused, not computed wrongly', () => {
  // As trained on CIFAR: a 3x3 stem, and no max pool after it.
  expect(() => openVisionNetwork(save({ ...resnet, ...bare('conv1', 8, 3, 3) }))).toThrow(
    /"conv1" is 3x3 where this network has 7x7, as in networks for small pictures \(CIFAR\)/,
  );
  expect(() => openVisionNetwork(save({ ...resnet, ...conv('layer1.0.se.fc1', 2, 16, 1) }))).toThrow(
    /like those of resnet\d+, but have "layer1.0.se.fc1.weight" and 1 more that it has not: .* export it as ONNX/,
  );
  const { 'bn1.running_mean': _, ...without } = resnet;
  expect(() => openVisionNetwork(save(without))).toThrow(
    /a variant of a known network .* no array named "bn1.running_mean"/,
  );
  expect(() => openVisionNetwork(save(conv('down1.conv', 8, 3)))).toThrow(
    /no known network has weights named like "down1.conv/,
  );
});

test('what wrappers and checkpoints put before all names is no part of them', () => {
  const under = (prefix: string): Shapes =>
    Object.fromEntries(Object.entries(vgg).map(([name, shape]) => [prefix + name, shape]));
  const plain = table(openVisionNetwork(save(vgg)));
  for (const prefix of ['module.', '_orig_mod.', 'model._orig_mod.module.'])
    expect(table(openVisionNetwork(save(under(prefix))))).toEqual(plain);
  // An optimizer's state beside the network's.
  const checkpoint = { ...under('state_dict.module.'), 'optimizer.state.0.exp_avg': [4] };
  expect(table(openVisionNetwork(save(checkpoint)))).toEqual(plain);
  // Two networks, or a part of a larger one.
  expect(() => openVisionNetwork(save({ ...under('module.'), 'other.weight': [4] }))).toThrow(
    /no known network has weights named like/,
  );
});

test('networks for grey pictures, depth beside colours or two frames are read by their first convolution', () => {
  for (const channels of [1, 4, 6]) {
    const network = openVisionNetwork(save({ ...resnet, ...bare('conv1', 8, channels, 7) }));
    // What colours are scaled by says nothing of others.
    expect(network.input).toMatchObject({ channels, preprocessing: null });
  }
});

const linear = (name: string, outputs: number, inputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});
const layerNorm = (name: string, channels: number): Shapes => ({
  [`${name}.weight`]: [channels],
  [`${name}.bias`]: [channels],
});

/** A vision transformer of one block, for pictures of 16 pixels. */
const vit: Shapes = {
  ...conv('patch_embed.proj', 8, 3, 4),
  cls_token: [1, 1, 8],
  pos_embed: [1, 17, 8],
  ...layerNorm('blocks.0.norm1', 8),
  ...linear('blocks.0.attn.qkv', 24, 8),
  ...linear('blocks.0.attn.proj', 8, 8),
  ...layerNorm('blocks.0.norm2', 8),
  ...linear('blocks.0.mlp.fc1', 12, 8),
  ...linear('blocks.0.mlp.fc2', 8, 12),
  ...layerNorm('norm', 8),
  ...linear('head', 5, 8),
};
const twoHeads = { architecture: 'vit_tiny', model_args: { num_heads: 2 } };

test('a vision transformer has maps of patches, each with its class token', () => {
  const network = openVisionNetwork(save(vit, twoHeads), 'tiny-vit');
  expect(table(network)).toEqual([
    'patch_embed (conv) 8x4x4',
    'blocks.0.attn.heads (norm of each head) 2x4x4',
    'blocks.0.attn (attention) 8x4x4',
    'blocks.0.mlp.fc1 (dense) 12x4x4',
    'blocks.0.mlp (gelu) 12x4x4',
    'blocks.0 (block) 8x4x4',
    'norm (layer norm) 8x4x4',
    'head (dense) 5',
  ]);
  expect(network.layer('blocks.0.mlp').hasClassToken).toBe(true);
  expect(network.layer('patch_embed').hasClassToken).toBeUndefined();
  expect(network.classLayer.name).toBe('head');
  expect(network.reads([20, 12], ['head'])).toBe(true);
});

test('what the weights of a vision transformer do not tell is asked for', () => {
  expect(() => openVisionNetwork(save(vit))).toThrow(
    /the weights do not tell the number of attention heads: a config.json of timm or transformers beside them does/,
  );
  expect(() => openVisionNetwork(save(vit, { ...twoHeads, hidden_act: 'xielu' }))).toThrow(
    /asks for the activation "xielu", which is not supported/,
  );
  expect(() => openVisionNetwork(save({ ...vit, ...linear('attn_pool.q', 8, 8) }, twoHeads))).toThrow(
    /like those of vit of 1 blocks?, but have "attn_pool.q.weight"/,
  );
});
