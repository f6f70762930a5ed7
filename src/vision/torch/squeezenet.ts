/** @file SqueezeNet 1.0 and 1.1 as in torchvision (Iandola et al., 2016). */
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

export function squeezenet(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'features.0' });
  let x = m.layer('features.0', m.relu(m.conv('features.0', m.input, { stride: 2 })), 'conv, relu');
  m.layer('features.1', x, 'relu');
  // From here on, what has no weights is a pooling.
  for (let index = 2; index <= 12; index++) {
    const name = `features.${index}`;
    x = m.layer(name, m.has(`${name}.squeeze`) ? fire(m, name, x) : m.maxPool(x, 3, 2, 0, true));
  }
  x = m.layer('classifier.1', m.relu(m.conv('classifier.1', x)), 'conv, relu');
  m.layer('classifier', m.adaptiveAveragePool(x, 1), 'average pool');
  const version = m.has('features.5.squeeze') ? '1_0' : '1_1';
  return { name: `squeezenet${version}`, modules: m, size: 224, preprocessing: imagenet };
}

/** A 1x1 convolution to few channels, then 1x1 and 3x3 side by side. */
function fire(m: Modules, name: string, x: number): number {
  const convolution = (part: string, input: number): number =>
    m.layer(`${name}.${part}`, m.relu(m.conv(`${name}.${part}`, input, { padding: 'half' })), 'conv, relu');
  const squeezed = convolution('squeeze', x);
  return m.concat(convolution('expand1x1', squeezed), convolution('expand3x3', squeezed));
}
