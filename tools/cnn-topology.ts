/** @file The shipped CNN as Keras describes it, so that TensorFlow.js loads it as a LayersModel. */
import { convLayers } from './cnn.js';
import { convolution, dense, layer, rescaling, sequential } from './keras-layers.js';

const pool = (name: string) =>
  layer('MaxPooling2D', {
    name,
    pool_size: [2, 2],
    strides: [2, 2],
    padding: 'valid',
    data_format: 'channels_last',
  });

/** `modelTopology` of model.json: pictures from 0 to 255 in, logits out. */
export function topology(name: string, size: number, classes: number): object {
  return sequential(name, [
    rescaling(size),
    ...convLayers.flatMap(({ name, output, pooled }) => [
      convolution(name, output),
      ...(pooled ? [pool(`${name.split('_')[0]}_pool`)] : []),
    ]),
    layer('GlobalAveragePooling2D', { name: 'features', data_format: 'channels_last' }),
    dense('predictions', classes),
  ]);
}
