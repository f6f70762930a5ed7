/** @file ResNet as in torchvision and timm (He et al., 2015; stride in the 3x3 convolution): any depth, also ResNeXt and wide. */
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

export function resnet(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'conv1' });
  let x = m.layer('conv1', m.conv('conv1', m.input, { stride: 2, padding: 3, size: 7 }));
  x = m.layer('bn1', m.relu(m.batchNorm('bn1', x)), 'batch norm, relu');
  x = m.layer('maxpool', m.maxPool(x, 3, 2, 1));

  let convolutions = 0;
  for (let stage = 1; m.has(`layer${stage}.0.conv1`); stage++) {
    for (let block = 0; m.has(`layer${stage}.${block}.conv1`); block++) {
      const name = `layer${stage}.${block}`;
      x = m.layer(name, residual(m, name, x, stage > 1 && block === 0 ? 2 : 1), 'block');
      convolutions += m.has(`${name}.conv3`) ? 3 : 2;
    }
    m.layer(`layer${stage}`, x, 'stage');
  }
  if (m.has('fc')) {
    x = m.layer('avgpool', m.adaptiveAveragePool(x, 1), 'average pool');
    m.layer('fc', m.linear('fc', x));
  }
  return { name: `resnet${convolutions + 2}`, modules: m, size: 224, preprocessing: imagenet };
}

/** Two 3x3 convolutions, or a bottleneck of 1x1, 3x3, 1x1, and the shortcut around them. */
function residual(m: Modules, name: string, input: number, stride: number): number {
  const bottleneck = m.has(`${name}.conv3`);
  const last = bottleneck ? 3 : 2;
  let x = input;
  for (let i = 1; i <= last; i++) {
    const strided = i === (bottleneck ? 2 : 1) ? stride : 1;
    x = m.layer(`${name}.conv${i}`, m.conv(`${name}.conv${i}`, x, { stride: strided, padding: 'half' }));
    x = m.batchNorm(`${name}.bn${i}`, x);
    if (i < last) x = m.relu(x);
    m.layer(`${name}.bn${i}`, x, i < last ? 'batch norm, relu' : 'batch norm');
  }
  let shortcut = input;
  if (m.has(`${name}.downsample.0`)) {
    shortcut = m.layer(`${name}.downsample.0`, m.conv(`${name}.downsample.0`, input, { stride }));
    shortcut = m.layer(`${name}.downsample.1`, m.batchNorm(`${name}.downsample.1`, shortcut), 'batch norm');
  }
  return m.relu(m.add(x, shortcut));
}
