/** @file AlexNet as in torchvision ("One weird trick for parallelizing convolutional neural networks", 2014). */
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import { type ConvOptions, Modules, type TorchNetwork } from './modules.js';

export function alexnet(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'features.0' });
  let x = m.input;

  const convolution = (index: number, options: ConvOptions): void => {
    x = m.relu(m.conv(`features.${index}`, x, options));
    m.layer(`features.${index}`, x, 'conv, relu');
    m.layer(`features.${index + 1}`, x, 'relu');
  };
  const pool = (index: number): void => {
    x = m.layer(`features.${index}`, m.maxPool(x, 3, 2));
  };
  convolution(0, { stride: 4, padding: 2, size: 11 });
  pool(2);
  convolution(3, { padding: 'half' });
  pool(5);
  convolution(6, { padding: 'half' });
  convolution(8, { padding: 'half' });
  convolution(10, { padding: 'half' });
  pool(12);
  x = m.layer('avgpool', m.adaptiveAveragePool(x, 6), 'average pool');

  x = m.flatten(x);
  for (const index of [1, 4]) {
    x = m.relu(m.linear(`classifier.${index}`, x));
    m.layer(`classifier.${index}`, x, 'dense, relu');
  }
  m.layer('classifier.6', m.linear('classifier.6', x));
  [0, 3, 6, 8, 10].forEach((index, i) => {
    m.graph.alias(`conv${i + 1}`, `features.${index}`);
  });
  return { name: 'alexnet', modules: m, size: 224, preprocessing: imagenet };
}
