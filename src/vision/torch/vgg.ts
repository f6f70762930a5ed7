/** @file VGG as in torchvision and timm (Simonyan and Zisserman, 2014): any depth, with or without batch norm. */

import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

export function vgg(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'features.0' });
  const isKernel = (index: number): boolean =>
    m.has(`features.${index}`) && source.shape(`features.${index}.weight`).length === 4;
  const last = source.names.reduce(
    (largest, name) => Math.max(largest, Number(/^features\.(\d+)\./.exec(name)?.[1] ?? 0)),
    0,
  );

  // What has no weights between two convolutions is a ReLU, then perhaps a pooling; the numbers show which.
  let x = m.input;
  let block = 1;
  let inBlock = 0;
  let convolutions = 0;
  for (let index = 0; index <= last; ) {
    if (!isKernel(index)) throw new UserError(`features.${index} of this VGG is no convolution`);
    const normalized = m.has(`features.${index + 1}`) && !isKernel(index + 1);
    const name = `features.${index}`;
    let y = m.conv(name, x, { padding: 'half' });
    if (normalized) y = m.batchNorm(`features.${index + 1}`, m.layer(name, y));
    x = m.relu(y);
    index += normalized ? 2 : 1;
    m.layer(`features.${index - 1}`, x, normalized ? 'batch norm, relu' : 'conv, relu');
    m.layer(`features.${index}`, x, 'relu');
    convolutions++;
    inBlock++;
    for (const alias of [`block${block}_conv${inBlock}`, `conv${block}_${inBlock}`]) {
      m.graph.alias(alias, `features.${index - 1}`);
    }
    index++;
    if (!isKernel(index)) {
      x = m.layer(`features.${index}`, m.maxPool(x, 2, 2));
      m.graph.alias(`block${block}_pool`, `features.${index}`);
      index++;
      block++;
      inBlock = 0;
    }
  }
  return { ...classifier(m, x), name: `vgg${convolutions + 3}`, size: 224, preprocessing: imagenet };
}

function classifier(m: Modules, features: number): { modules: Modules } {
  let x = features;
  if (m.has('pre_logits.fc1')) {
    // timm: the first two dense layers are convolutions over the picture.
    for (const name of ['fc1', 'fc2']) {
      x = m.layer(`pre_logits.${name}`, m.relu(m.conv(`pre_logits.${name}`, x)), 'conv, relu');
      m.graph.alias(name, `pre_logits.${name}`);
    }
    m.layer('head.fc', m.linear('head.fc', m.adaptiveAveragePool(x, 1)));
  } else if (m.has('classifier.0')) {
    x = m.flatten(m.layer('avgpool', m.adaptiveAveragePool(x, 7), 'average pool'));
    for (const [name, index] of [
      ['fc1', 0],
      ['fc2', 3],
    ] as const) {
      x = m.layer(`classifier.${index}`, m.relu(m.linear(`classifier.${index}`, x)), 'dense, relu');
      m.graph.alias(name, `classifier.${index}`);
    }
    m.layer('classifier.6', m.linear('classifier.6', x));
  }
  return { modules: m };
}
