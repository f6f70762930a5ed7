/** @file GoogLeNet, or InceptionV1, as in torchvision (Szegedy et al., 2014, with batch norm). */
import type { WeightSource } from '../../engine/weights/weights.js';
import { range } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

export function googlenet(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 224, stem: 'conv1.conv', epsilon: 0.001 });
  let x = m.basicConv('conv1', m.input, { stride: 2, padding: 3, size: 7 });
  x = m.layer('maxpool1', m.maxPool(x, 3, 2, 0, true));
  x = m.basicConv('conv2', x);
  x = m.basicConv('conv3', x, { padding: 'half' });
  x = m.layer('maxpool2', m.maxPool(x, 3, 2, 0, true));
  for (const letter of 'ab') x = inception(m, `inception3${letter}`, x);
  x = m.layer('maxpool3', m.maxPool(x, 3, 2, 0, true));
  for (const letter of 'abcde') x = inception(m, `inception4${letter}`, x);
  x = m.layer('maxpool4', m.maxPool(x, 2, 2, 0, true));
  for (const letter of 'ab') x = inception(m, `inception5${letter}`, x);
  x = m.layer('avgpool', m.adaptiveAveragePool(x, 1), 'average pool');
  m.layer('fc', m.linear('fc', x));
  // torchvision's weights come from TensorFlow: its `transform_input` undoes the usual mean for [-1, 1].
  return { name: 'googlenet', modules: m, size: 224, preprocessing: range(-1, 1) };
}

/** 1x1; 1x1 then 3x3; 1x1 then 3x3 (5x5 in the paper); max pool then 1x1: side by side. */
function inception(m: Modules, name: string, x: number): number {
  const branch1 = m.basicConv(`${name}.branch1`, x);
  const reduced2 = m.basicConv(`${name}.branch2.0`, x);
  const branch2 = m.basicConv(`${name}.branch2.1`, reduced2, { padding: 'half' });
  const reduced3 = m.basicConv(`${name}.branch3.0`, x);
  const branch3 = m.basicConv(`${name}.branch3.1`, reduced3, { padding: 'half' });
  const pooled = m.layer(`${name}.branch4.0`, m.maxPool(x, 3, 1, 1, true));
  const branch4 = m.basicConv(`${name}.branch4.1`, pooled);
  const joined = m.layer(name, m.concat(branch1, branch2, branch3, branch4));
  m.graph.alias(name.replace('inception', 'mixed'), name);
  return joined;
}
