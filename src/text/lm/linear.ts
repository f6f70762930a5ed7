/** @file A linear map of a layer. */
import * as tf from '../../engine/functions/tfjs.js';
import type { Reading } from './reading.js';

/** `[rows, in]` to `[rows, out]`, by a module's matrix and bias. */
export function linear({ spec, weights }: Reading, module: string, x: tf.Tensor, bias: boolean): tf.Tensor {
  const outIn = spec.modules.matrices === 'out,in';
  const y = tf.matMul(x as tf.Tensor2D, weights(`${module}.weight`) as tf.Tensor2D, false, outIn);
  return bias ? tf.add(y, weights(`${module}.bias`)) : y;
}
