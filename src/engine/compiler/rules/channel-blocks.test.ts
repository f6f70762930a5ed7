/** Which convolutions have channels in blocks; their values are compared in image-rules.test.ts. */
import { expect, it } from 'vitest';
import * as tf from '../../functions/tfjs.js';
import { plainTraits, type Traits } from '../../traits.js';
import { MemoryWeights } from '../../weights/weights.js';
import { reachable } from '../reachable.js';
import { trace } from '../trace.js';

/** The convolutions that a value and its gradients are. */
function convolutions(channelBlock: Traits['channelBlock'], channels: number, isTrained = true): string[] {
  const filter = { shape: [3, 3, channels, 16] };
  const inputs = { x: { shape: [2, 9, 9, channels] }, ...(isTrained && { w: filter }) };
  const weights = new MemoryWeights(new Map([['w', { ...filter, data: new Float32Array(144 * channels) }]]));
  const conv = (x: tf.Tensor, w: tf.Tensor) =>
    tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same')));
  const { outputs } = trace(
    ({ x, w }, weight) =>
      Object.fromEntries(
        tf
          .grads(conv)([x!, w ?? weight('w')])
          .entries(),
      ),
    inputs,
    weights,
    { ...plainTraits, channelBlock },
  );
  const { nodes } = reachable(Object.values(outputs));
  return nodes.flatMap(({ op }) => (op.endsWith('Conv') ? [op] : []));
}

it('channels are in blocks where both kinds are whole blocks and the filter is trained', () => {
  expect(convolutions(16, 32)).toEqual(['NchwcConv', 'NchwcConv']);
  expect(convolutions(8, 24)).toEqual(['NchwcConv', 'NchwcConv']);
  expect(convolutions(16, 24)).toEqual(['Conv', 'Conv']);
  expect(convolutions(0, 32)).toEqual(['Conv', 'Conv']);
  expect(convolutions(16, 32, false)).toEqual(['Conv', 'Conv']);
});
