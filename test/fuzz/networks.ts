/** @file Small networks that use many operations, as values that a fuzzer damages. */
import {
  attributeTypes,
  type OnnxModel,
  type OnnxNode,
  onnxTypes,
} from '../../src/engine/compiler/onnx-proto.js';

const noise = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1)) * 0.5);

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export interface TfjsNetwork {
  readonly model: object;
  readonly shard: Uint8Array;
}

type Weight = readonly [name: string, shape: number[], values?: readonly number[]];

/** Weights with values are integers. */
function tfjs(modelTopology: object, weights: readonly Weight[]): TfjsNetwork {
  const arrays = weights.map(([, shape, values]) =>
    values ? Int32Array.from(values) : noise(sizeOf(shape)),
  );
  const manifest = weights.map(([name, shape, values]) => ({
    name,
    shape,
    dtype: values ? 'int32' : 'float32',
  }));
  return {
    model: { modelTopology, weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: manifest }] },
    shard: Buffer.concat(arrays.map((array) => new Uint8Array(array.buffer))),
  };
}

// -- Keras -------------------------------------------------------------------------------------------------------------

const layer = (class_name: string, name: string, config: object, ...inputs: string[]): object => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [],
});

export function kerasNetwork(): TfjsNetwork {
  const inner = {
    name: 'inner',
    layers: [
      { class_name: 'InputLayer', config: { name: 'inner_in', batch_input_shape: [null, 4, 4, 6] } },
      { class_name: 'Conv2D', config: { name: 'deep', padding: 'same', activation: 'swish' } },
      { class_name: 'PReLU', config: { name: 'prelu' } },
    ],
  };
  const layers = [
    layer('InputLayer', 'in', { batch_input_shape: [null, 8, 8, 3] }),
    layer(
      'ZeroPadding2D',
      'pad',
      {
        padding: [
          [1, 0],
          [0, 1],
        ],
      },
      'in',
    ),
    layer(
      'Conv2D',
      'conv',
      { strides: [1, 1], padding: 'same', dilation_rate: 2, activation: 'relu' },
      'pad',
    ),
    layer('BatchNormalization', 'norm', { axis: [3], epsilon: 0.001 }, 'conv'),
    layer('DepthwiseConv2D', 'depthwise', { strides: 1, padding: 'valid' }, 'norm'),
    layer('UpSampling2D', 'up', { size: [2, 2], interpolation: 'bilinear' }, 'depthwise'),
    layer('AveragePooling2D', 'pool', { pool_size: 2, strides: null, padding: 'valid' }, 'up'),
    layer('Concatenate', 'join', { axis: -1 }, 'pool', 'depthwise'),
    layer('Cropping2D', 'crop', { cropping: 1 }, 'join'),
    layer('Sequential', 'inner', inner, 'crop'),
    layer('Reshape', 'reshape', { target_shape: [25, 5] }, 'inner'),
    layer('Permute', 'permute', { dims: [2, 1] }, 'reshape'),
    layer('Flatten', 'flatten', {}, 'permute'),
    layer('Dense', 'dense', { activation: 'softmax' }, 'flatten'),
  ];
  return tfjs(
    {
      keras_version: '2.4.0',
      model_config: {
        class_name: 'Functional',
        config: { name: 'small', layers, input_layers: [['in', 0, 0]], output_layers: [['dense', 0, 0]] },
      },
    },
    [
      ['conv/kernel', [3, 3, 3, 3]],
      ['conv/bias', [3]],
      ['norm/gamma', [3]],
      ['norm/beta', [3]],
      ['norm/moving_mean', [3]],
      ['norm/moving_variance', [3]],
      ['depthwise/depthwise_kernel', [3, 3, 3, 1]],
      ['inner/deep/kernel', [3, 3, 6, 5]],
      ['prelu/alpha', [1, 1, 5]],
      ['dense/kernel', [125, 4]],
      ['dense/bias', [4]],
    ],
  );
}

// -- TensorFlow --------------------------------------------------------------------------------------------------------

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const list = (...i: number[]): object => ({ list: { i: i.map(String) } });

export function graphNetwork(): TfjsNetwork {
  const op = (op: string, name: string, input: string[], attr: object = {}): object => ({
    name,
    op,
    input,
    attr,
  });
  const size = { shape: { dim: [-1, 8, 8, 3].map((size) => ({ size: String(size) })) } };
  const window = {
    strides: list(1, 1, 1, 1),
    padding: { s: base64('SAME') },
    data_format: { s: base64('NHWC') },
  };
  const weights: Weight[] = [
    ['kernel', [3, 3, 3, 4]],
    ['bias', [4]],
    ['axis', [], [3]],
    ['pads', [4, 2], [0, 0, 1, 0, 0, 1, 0, 0]],
    ['size', [2], [16, 16]],
    ['from', [1], [0]],
    ['to', [1], [1]],
    ['by', [1], [1]],
    ['rest', [], [-1]],
    ['kernel2', [1024, 5]],
  ];
  const node = [
    ...weights.map(([name]) => op('Const', name, [])),
    op('Placeholder', 'x', [], { shape: size }),
    op('_FusedConv2D', 'a/conv', ['x', 'kernel', 'bias'], {
      ...window,
      fused_ops: { list: { s: [base64('BiasAdd'), base64('Relu')] } },
    }),
    op('Split', 'a/split', ['axis', 'a/conv'], { num_split: { i: '2' } }),
    op('ConcatV2', 'a/join', ['a/split:1', 'a/split', 'axis']),
    op('Pad', 'b/pad', ['a/join', 'pads']),
    op('MaxPool', 'b/pool', ['b/pad'], {
      ...window,
      ksize: list(1, 2, 2, 1),
      padding: { s: base64('VALID') },
    }),
    op('ResizeBilinear', 'b/up', ['b/pool', 'size'], { half_pixel_centers: { b: true } }),
    op('Shape', 'c/shape', ['b/up']),
    op('StridedSlice', 'c/batch', ['c/shape', 'from', 'to', 'by'], { shrink_axis_mask: { i: '1' } }),
    op('Pack', 'c/sizes', ['c/batch', 'rest']),
    op('Reshape', 'c/flat', ['b/up', 'c/sizes']),
    op('MatMul', 'c/matmul', ['c/flat', 'kernel2']),
    op('Softmax', 'c/softmax', ['c/matmul']),
  ];
  return tfjs({ node }, weights);
}

// -- ONNX --------------------------------------------------------------------------------------------------------------

export function onnxModel(): OnnxModel {
  const floats = (name: string, dims: number[]) => ({
    name,
    dims,
    dataType: onnxTypes.float,
    rawData: new Uint8Array(noise(sizeOf(dims)).buffer),
  });
  const ints = (name: string, values: number[]) => ({
    name,
    dims: [values.length],
    dataType: onnxTypes.int64,
    int64Data: values,
  });
  const int = (name: string, i: number) => ({ name, type: attributeTypes.int, i });
  const list = (name: string, ...values: number[]) => ({ name, type: attributeTypes.ints, ints: values });
  const node = (opType: string, input: string[], output: string[], ...attribute: object[]): OnnxNode => ({
    name: `/net/${output[0]}/${opType}`,
    opType,
    input,
    output,
    attribute,
  });
  return {
    irVersion: 8,
    opsetImport: [{ version: 17 }],
    graph: {
      name: 'small',
      input: [image('x', [1, 3, 8, 8])],
      output: [image('y', [1, 5, 1, 1])],
      initializer: [
        floats('w', [4, 3, 3, 3]),
        floats('b', [4]),
        ...['scale', 'shift', 'mean', 'variance'].map((name) => floats(name, [4])),
        ints('halves', [2, 2]),
        ints('pads', [0, 0, 1, 0, 0, 0, 0, 1]),
        floats('scales', [4]),
        ints('sizes', [1, 4, 16, 16]),
        ints('zero', [0]),
        ints('rest', [-1]),
        ints('starts', [1]),
        ints('ends', [9]),
        ints('axes', [2]),
        floats('w2', [5, 512]),
        floats('b2', [5]),
      ],
      node: [
        node(
          'Conv',
          ['x', 'w', 'b'],
          ['c'],
          list('pads', 1, 1, 1, 1),
          list('dilations', 1, 1),
          int('group', 1),
        ),
        node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], ['n']),
        node('Selu', ['n'], ['r'], { name: 'alpha', type: attributeTypes.float, f: 1.5 }),
        node('Split', ['r', 'halves'], ['s1', 's2'], int('axis', 1)),
        node('Concat', ['s2', 's1'], ['j'], int('axis', 1)),
        node('Pad', ['j', 'pads'], ['p']),
        node('MaxPool', ['p'], ['m'], list('kernel_shape', 2, 2), list('strides', 1, 1), int('ceil_mode', 1)),
        node('Resize', ['m', '', '', 'sizes'], ['u']),
        node('Slice', ['u', 'starts', 'ends', 'axes'], ['t']),
        node('Shape', ['t'], ['shape']),
        node('Gather', ['shape', 'zero'], ['first'], int('axis', 0)),
        node('Concat', ['first', 'rest'], ['flatShape'], int('axis', 0)),
        node('Reshape', ['t', 'flatShape'], ['f']),
        node('Gemm', ['f', 'w2', 'b2'], ['g'], int('transB', 1)),
        node('Softmax', ['g'], ['y'], int('axis', 1)),
      ],
    },
  };
}

const image = (name: string, dims: readonly number[]) => ({
  name,
  type: { tensorType: { elemType: onnxTypes.float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

// -- PyTorch -----------------------------------------------------------------------------------------------------------

/** Shapes of a narrow ResNet with one bottleneck. */
export function resnetShapes(): Record<string, number[]> {
  const norm = (name: string, channels: number): [string, number[]][] =>
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]);
  return Object.fromEntries([
    ['conv1.weight', [4, 3, 7, 7]],
    ...norm('bn1', 4),
    ['layer1.0.conv1.weight', [4, 4, 1, 1]],
    ...norm('layer1.0.bn1', 4),
    ['layer1.0.conv2.weight', [4, 2, 3, 3]],
    ...norm('layer1.0.bn2', 4),
    ['layer1.0.conv3.weight', [8, 4, 1, 1]],
    ...norm('layer1.0.bn3', 8),
    ['layer1.0.downsample.0.weight', [8, 4, 1, 1]],
    ...norm('layer1.0.downsample.1', 8),
    ['fc.weight', [5, 8]],
    ['fc.bias', [5]],
  ] as [string, number[]][]);
}

/** A safetensors file as its header and its bytes. */
export function resnetFile(): { header: Record<string, object>; bytes: Uint8Array } {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(resnetShapes()).map(([name, shape]) => {
      const begin = end;
      end += 4 * sizeOf(shape);
      return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
    }),
  );
  return { header, bytes: new Uint8Array(noise(end / 4).buffer) };
}
