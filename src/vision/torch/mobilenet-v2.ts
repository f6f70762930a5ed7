/** @file MobileNetV2 as in torchvision and in timm (Sandler et al., 2018): any width. */
import type { WeightSource } from '../../engine/weights/weights.js';
import { imagenet } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

/** Strides of the first block of each stage. */
const strides = [1, 2, 2, 2, 1, 2, 1];

/** A convolution and its batch norm, by the names of their weights. */
type ConvNorm = readonly [conv: string, norm: string];

export function mobilenetV2(source: WeightSource): TorchNetwork {
  const names = source.names.includes('conv_stem.weight') ? timm : torchvision;
  const m = new Modules(source, { size: 224, stem: names.stem[0] });
  let x = convNorm(m, names.stem, m.input, 2, true);
  m.layer(names.stemLayer, x, 'conv, batch norm, relu6');
  let index = 1;
  strides.forEach((stride, stage) => {
    for (let block = 0; block < names.blocks(m, stage); block++) {
      const name = names.block(stage, block, index++);
      x = m.layer(name, invertedResidual(m, names.parts(m, name), x, block === 0 ? stride : 1), 'block');
    }
  });
  x = m.layer(names.headLayer, convNorm(m, names.head, x, 1, true), 'conv, batch norm, relu6');
  x = m.layer('avgpool', m.adaptiveAveragePool(x, 1), 'average pool');
  m.layer(names.classifier, m.linear(names.classifier, x));
  return { name: 'mobilenet_v2', modules: m, size: 224, preprocessing: imagenet };
}

function convNorm(m: Modules, [conv, norm]: ConvNorm, x: number, stride: number, activated: boolean): number {
  const y = m.layer(conv, m.conv(conv, x, { stride, padding: 'half' }));
  const normalized = m.batchNorm(norm, y);
  if (!activated) return m.layer(norm, normalized, 'batch norm');
  return m.layer(norm, m.relu6(normalized), 'batch norm, relu6');
}

/** 1x1 to more channels (not in the first block), depthwise 3x3, 1x1 to fewer without ReLU; a shortcut where shapes agree. */
function invertedResidual(m: Modules, pairs: readonly ConvNorm[], input: number, stride: number): number {
  let x = input;
  pairs.forEach((pair, i) => {
    x = convNorm(m, pair, x, i === pairs.length - 2 ? stride : 1, i < pairs.length - 1);
  });
  const sameShape = m.graph.shape(x).every((dim, axis) => dim === m.graph.shape(input)[axis]);
  return stride === 1 && sameShape ? m.add(input, x) : x;
}

const torchvision = {
  stem: ['features.0.0', 'features.0.1'] as ConvNorm,
  stemLayer: 'features.0',
  blocks: (_m: Modules, stage: number) => [1, 2, 3, 4, 3, 3, 1][stage]!,
  block: (_stage: number, _block: number, index: number) => `features.${index}`,
  parts: (m: Modules, name: string): ConvNorm[] =>
    m.has(`${name}.conv.3`)
      ? [
          [`${name}.conv.0.0`, `${name}.conv.0.1`],
          [`${name}.conv.1.0`, `${name}.conv.1.1`],
          [`${name}.conv.2`, `${name}.conv.3`],
        ]
      : [
          [`${name}.conv.0.0`, `${name}.conv.0.1`],
          [`${name}.conv.1`, `${name}.conv.2`],
        ],
  head: ['features.18.0', 'features.18.1'] as ConvNorm,
  headLayer: 'features.18',
  classifier: 'classifier.1',
};

const timm: typeof torchvision = {
  stem: ['conv_stem', 'bn1'],
  stemLayer: 'bn1',
  blocks(m, stage) {
    let count = 0;
    while (m.has(`blocks.${stage}.${count}.conv_dw`)) count++;
    return count;
  },
  block: (stage, block) => `blocks.${stage}.${block}`,
  parts: (m, name) =>
    m.has(`${name}.conv_pwl`)
      ? [
          [`${name}.conv_pw`, `${name}.bn1`],
          [`${name}.conv_dw`, `${name}.bn2`],
          [`${name}.conv_pwl`, `${name}.bn3`],
        ]
      : [
          [`${name}.conv_dw`, `${name}.bn1`],
          [`${name}.conv_pw`, `${name}.bn2`],
        ],
  head: ['conv_head', 'bn2'],
  headLayer: 'bn2',
  classifier: 'classifier',
};
