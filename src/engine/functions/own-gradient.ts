/** @file Functions with gradients of their own, past what TensorFlow.js would differentiate. */
import * as tf from './tfjs.js';

/**
 * A function of tensors with a gradient of its own. Both parts get the tensors that they work on: those that they close
 * over may be gone by the time the gradient is asked for.
 *
 * @param forward - the value, and what the gradient needs
 * @param backward - the gradient of each input, of that of the value
 */
export function withGradient<Inputs extends readonly tf.Tensor[], Saved extends readonly tf.Tensor[]>(
  inputs: Inputs,
  forward: (...inputs: Inputs) => { readonly value: tf.Tensor; readonly saved: Saved },
  backward: (dy: tf.Tensor, saved: Saved) => tf.Tensor[],
): tf.Tensor {
  const op = tf.customGrad((...args) => {
    // The types of TensorFlow.js have one tensor and a function; it gives all tensors, and the function last.
    const given = args as unknown as [...Inputs, tf.GradSaveFunc];
    const save = given.at(-1) as tf.GradSaveFunc;
    const { value, saved } = forward(...(given.slice(0, -1) as unknown as Inputs));
    save([...saved]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => backward(dy, saved as unknown as Saved);
    return { value, gradFunc };
  });
  return op(...inputs);
}
