/** @file Networks as Keras describes them and as TensorFlow.js keeps them on disk. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { f16FromFloat32 } from '../src/engine/weights/half.js';
import type { WeightArray } from '../src/engine/weights/weights.js';
import { writeWhole } from './corpus.js';

export const layer = (className: string, config: object) => ({ class_name: className, config });

/** Pictures from 0 to 255 come in and leave in [-1, 1]. */
export const rescaling = (size: number) =>
  layer('Rescaling', {
    name: 'rescaling',
    batch_input_shape: [null, size, size, 3],
    dtype: 'float32',
    scale: 1 / 127.5,
    offset: -1,
  });

/** 3 x 3, padded to the same size, with ReLU. */
export const convolution = (name: string, filters: number, stride = 1) =>
  layer('Conv2D', {
    name,
    filters,
    kernel_size: [3, 3],
    strides: [stride, stride],
    padding: 'same',
    data_format: 'channels_last',
    dilation_rate: [1, 1],
    activation: 'relu',
    use_bias: true,
  });

export const dense = (name: string, units: number, activation: 'linear' | 'relu' = 'linear') =>
  layer('Dense', { name, units, activation, use_bias: true });

/** `modelTopology` of model.json. */
export const sequential = (name: string, layers: readonly object[]) => ({
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
  model_config: { class_name: 'Sequential', config: { name, layers } },
});

const SHARD = 'group1-shard1of1.bin';

/**
 * Writes a LayersModel, weights in half precision.
 *
 * @param generatedBy - the tool
 * @param metadata - `userDefinedMetadata`
 */
export async function writeLayersModel(
  folder: string,
  generatedBy: string,
  topology: object,
  network: ReadonlyMap<string, WeightArray>,
  metadata: object,
): Promise<void> {
  const weights = [...network].map(([name, { shape, data }]) => ({
    name,
    shape,
    bytes: new Uint8Array(f16FromFloat32(data).buffer),
  }));
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, SHARD), Buffer.concat(weights.map(({ bytes }) => bytes)));
  const model = {
    format: 'layers-model',
    generatedBy: `superstimulus ${generatedBy}`,
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [
      {
        paths: [SHARD],
        weights: weights.map(({ name, shape }) => ({
          name,
          shape,
          dtype: 'float32',
          quantization: { dtype: 'float16', original_dtype: 'float32' },
        })),
      },
    ],
    userDefinedMetadata: metadata,
  };
  await writeWhole(join(folder, 'model.json'), `${JSON.stringify(model)}\n`);
}
