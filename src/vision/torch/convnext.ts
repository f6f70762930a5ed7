/** @file ConvNeXt ("A ConvNet for the 2020s", Liu et al., 2022), by timm's names: any depth and width. */
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import type { ArchitectureConfig } from './config.js';
import { Modules, type TorchNetwork } from './modules.js';

/** Of every norm; in transformers all but the last, whose epsilon stands in config.json. */
const EPSILON = 1e-6;

export function convnext(source: WeightSource, config: ArchitectureConfig): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'stem.0' });
  const [patch = 4] = source.shape('stem.0.weight').slice(2);
  let x = m.conv('stem.0', m.input, { stride: patch });
  x = m.layer('stem', m.layerNorm('stem.1', m.layer('stem.0', x), EPSILON), 'conv, layer norm');
  let blocks = 0;
  for (let stage = 0; m.has(`stages.${stage}.blocks.0.conv_dw`); stage++) {
    const name = `stages.${stage}`;
    if (m.has(`${name}.downsample.1`)) {
      const normalized = m.layerNorm(`${name}.downsample.0`, x, EPSILON);
      x = m.layer(`${name}.downsample`, m.conv(`${name}.downsample.1`, normalized, { stride: 2 }));
    }
    for (let block = 0; m.has(`${name}.blocks.${block}.conv_dw`); block++, blocks++)
      x = residual(m, `${name}.blocks.${block}`, x);
    m.layer(name, x, 'stage');
  }
  x = m.adaptiveAveragePool(x, 1);
  if (m.has('head.norm')) {
    x = m.layer(
      'head.norm',
      m.layerNorm('head.norm', x, config.epsilon ?? EPSILON),
      'average pool, layer norm',
    );
    if (m.has('head.fc')) m.layer('head.fc', m.linear('head.fc', x));
  }
  return { name: `convnext of ${blocks} blocks`, modules: m, size: 224, preprocessing: imagenet };
}

/** A depthwise convolution, then a layer of neurons at each position, and the shortcut around them. */
function residual(m: Modules, name: string, input: number): number {
  let x = m.layer(`${name}.conv_dw`, m.conv(`${name}.conv_dw`, input, { padding: 'half' }), 'depthwise conv');
  x = m.layerNorm(`${name}.norm`, x, EPSILON);
  const neurons = m.layer(`${name}.mlp.fc1`, m.linear(`${name}.mlp.fc1`, x));
  x = m.linear(`${name}.mlp.fc2`, m.layer(`${name}.mlp`, m.activation('gelu', neurons), 'gelu'));
  if (m.hasArray(`${name}.gamma`)) x = m.scaled(`${name}.gamma`, x);
  return m.layer(name, m.add(input, x), 'block');
}
