/** @file Inception v3 as in torchvision and timm ("Rethinking the Inception Architecture", Szegedy et al., 2015). */
import type { WeightSource } from '../../engine/weights/weights.js';
import { range } from '../preprocess.js';
import { Modules, type TorchNetwork } from './modules.js';

export function inceptionV3(source: WeightSource): TorchNetwork {
  const m = new Modules(source, { size: 299, stem: 'Conv2d_1a_3x3.conv', epsilon: 0.001 });
  let x = m.basicConv('Conv2d_1a_3x3', m.input, { stride: 2 });
  x = m.basicConv('Conv2d_2a_3x3', x);
  x = m.basicConv('Conv2d_2b_3x3', x, { padding: 'half' });
  x = m.layer('maxpool1', m.maxPool(x, 3, 2));
  x = m.basicConv('Conv2d_3b_1x1', x);
  x = m.basicConv('Conv2d_4a_3x3', x);
  x = m.layer('maxpool2', m.maxPool(x, 3, 2));
  const blocks: [name: string, block: Branches][] = [
    ['Mixed_5b', blockA],
    ['Mixed_5c', blockA],
    ['Mixed_5d', blockA],
    ['Mixed_6a', blockB],
    ['Mixed_6b', blockC],
    ['Mixed_6c', blockC],
    ['Mixed_6d', blockC],
    ['Mixed_6e', blockC],
    ['Mixed_7a', blockD],
    ['Mixed_7b', blockE],
    ['Mixed_7c', blockE],
  ];
  blocks.forEach(([name, block], i) => {
    x = m.layer(name, m.concat(...block(m, name, x)));
    m.graph.alias(`mixed${i}`, name);
  });
  x = m.layer('avgpool', m.adaptiveAveragePool(x, 1), 'average pool');
  m.layer('fc', m.linear('fc', x));
  // torchvision's weights come from TensorFlow: its `transform_input` undoes the usual mean for [-1, 1].
  return { name: 'inception_v3', modules: m, size: 299, preprocessing: range(-1, 1) };
}

/** The branches of a block, in the order they are joined. */
type Branches = (m: Modules, name: string, x: number) => number[];

/** Convolutions one after another, each keeping the size. */
function chain(m: Modules, name: string, x: number, ...parts: string[]): number {
  return parts.reduce((y, part) => m.basicConv(`${name}.${part}`, y, { padding: 'half' }), x);
}

const pooled = (m: Modules, name: string, x: number): number =>
  m.basicConv(`${name}.branch_pool`, m.averagePool(x, 3, 1, 1));

const blockA: Branches = (m, name, x) => [
  chain(m, name, x, 'branch1x1'),
  chain(m, name, x, 'branch5x5_1', 'branch5x5_2'),
  chain(m, name, x, 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3'),
  pooled(m, name, x),
];

/** Halves the picture. */
const blockB: Branches = (m, name, x) => [
  m.basicConv(`${name}.branch3x3`, x, { stride: 2 }),
  m.basicConv(`${name}.branch3x3dbl_3`, chain(m, name, x, 'branch3x3dbl_1', 'branch3x3dbl_2'), { stride: 2 }),
  m.maxPool(x, 3, 2),
];

const blockC: Branches = (m, name, x) => [
  chain(m, name, x, 'branch1x1'),
  chain(m, name, x, 'branch7x7_1', 'branch7x7_2', 'branch7x7_3'),
  chain(m, name, x, ...[1, 2, 3, 4, 5].map((i) => `branch7x7dbl_${i}`)),
  pooled(m, name, x),
];

/** Halves the picture. */
const blockD: Branches = (m, name, x) => [
  m.basicConv(`${name}.branch3x3_2`, chain(m, name, x, 'branch3x3_1'), { stride: 2 }),
  m.basicConv(`${name}.branch7x7x3_4`, chain(m, name, x, ...[1, 2, 3].map((i) => `branch7x7x3_${i}`)), {
    stride: 2,
  }),
  m.maxPool(x, 3, 2),
];

const blockE: Branches = (m, name, x) => {
  const split = chain(m, name, x, 'branch3x3_1');
  const double = chain(m, name, x, 'branch3x3dbl_1', 'branch3x3dbl_2');
  return [
    chain(m, name, x, 'branch1x1'),
    chain(m, name, split, 'branch3x3_2a'),
    chain(m, name, split, 'branch3x3_2b'),
    chain(m, name, double, 'branch3x3dbl_3a'),
    chain(m, name, double, 'branch3x3dbl_3b'),
    pooled(m, name, x),
  ];
};
