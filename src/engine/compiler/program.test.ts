import { expect, it } from 'vitest';
import * as tf from '../functions/tfjs.js';
import { decodeModel } from './onnx-proto.js';
import { buildProgram } from './program.js';
import { trace } from './trace.js';

it('an output is copied only where it is an input or another output too', () => {
  const traced = trace(
    ({ x }) => {
      const y = tf.relu(x!);
      return { y, again: y, given: x!, z: tf.exp(y) };
    },
    { x: { shape: [2] } },
  );
  const nodes = decodeModel(buildProgram(traced).model).graph!.node!;
  expect(nodes.map(({ opType, input, output }) => `${opType} ${input} ${output}`)).toEqual([
    'Relu input:x y',
    'Exp y z',
    'Identity y again',
    'Identity input:x given',
  ]);
});
