/** @file The shipped CNN as Keras describes it, so that TensorFlow.js loads it as a LayersModel. */
import { convLayers } from './cnn.js';

/** `modelTopology` of model.json: pictures from 0 to 255 in, logits out. */
export function topology(name: string, size: number, classes: number): object {
  const layer = (className: string, config: object) => ({ class_name: className, config });
  const convolutions = convLayers.flatMap(({ name, output, pooled }) => [
    layer('Conv2D', {
      name,
      filters: output,
      kernel_size: [3, 3],
      strides: [1, 1],
      padding: 'same',
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      activation: 'relu',
      use_bias: true,
    }),
    ...(pooled
      ? [
          layer('MaxPooling2D', {
            name: `${name.split('_')[0]}_pool`,
            pool_size: [2, 2],
            strides: [2, 2],
            padding: 'valid',
            data_format: 'channels_last',
          }),
        ]
      : []),
  ]);
  return {
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
    model_config: {
      class_name: 'Sequential',
      config: {
        name,
        layers: [
          layer('Rescaling', {
            name: 'rescaling',
            batch_input_shape: [null, size, size, 3],
            dtype: 'float32',
            scale: 1 / 127.5,
            offset: -1,
          }),
          ...convolutions,
          layer('GlobalAveragePooling2D', { name: 'features', data_format: 'channels_last' }),
          layer('Dense', { name: 'predictions', units: classes, activation: 'linear', use_bias: true }),
        ],
      },
    },
  };
}
