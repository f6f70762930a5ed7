import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { headOutputWeights } from '../lm/matrices.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import { forward } from '../lm/transformer.js';
import { ablationDivergence } from './ablation.js';
import { Calibration } from './calibration.js';
import { headGroup } from './head.js';
import { resolveUnits } from './session.js';

let model: TextModel;
let calibration: Calibration;
let ids: Int32Array;

beforeAll(async () => {
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
  ids = Int32Array.from(model.tokenizer.encode('"What is the matter?" said the old man to his wife.'));
  const text = { ids, positions: ids.length, source: 'corpus', key: 'one sentence' } as const;
  calibration = new Calibration({ subject: openSubject(model, 'onnx'), text: async () => text });
});

const divergence = (unit: string) => {
  const options = { model, engine: 'onnx', measure: 'delta', at: 'max', reference: 'none', seed: 0 } as const;
  return ablationDivergence(
    { subject: openSubject(model, 'onnx'), calibration, ...resolveUnits(unit, options) },
    ids,
  );
};

describe('mean ablation', () => {
  it('of a head of the last layer is the KL of logits computed by hand', async () => {
    const { spec, weights } = model;
    const layer = spec.layers - 1;
    const [head, { centre }] = [2, await calibration.statistics(headGroup(spec, layer, 'delta'))];
    // Nothing but the layer's MLP and the final norm stand behind the head: its delta is taken out of the stream.
    const program = await compile(
      ({ x }, w) => {
        const whole = forward(spec, w, { ids: x! });
        const z = tf.slice(whole.at(`blocks.${layer}.attn.hook_z`), [0, 0, head, 0], [-1, -1, 1, -1]);
        const mean = tf.tensor(centre!.slice(head * spec.dHead, (head + 1) * spec.dHead), [
          1,
          1,
          1,
          spec.dHead,
        ]);
        const matrix = tf.slice(headOutputWeights(spec, w, layer), [head, 0, 0], [1, -1, -1]);
        const lost = tf.matMul(
          tf.reshape(tf.sub(z, mean), [ids.length, spec.dHead]) as tf.Tensor2D,
          tf.reshape(matrix, [spec.dHead, spec.dModel]) as tf.Tensor2D,
        );
        return {
          lost,
          middle: whole.at(`blocks.${layer}.hook_resid_mid`),
          p: tf.logSoftmax(whole.at('logits')),
        };
      },
      { inputs: { x: { shape: [1, ids.length], dtype: 'int32' } }, weights },
    );
    const { lost, middle, p } = await program.run({ x: ids });
    const ablated = await compile(
      ({ x }, w) => {
        // The same network with the head's output replaced, by way of the attention output's own edit.
        const edits = {
          [`blocks.${layer}.attn.hook_z`]: (z: tf.Tensor) =>
            tf.concat(
              [
                tf.slice(z, [0, 0, 0, 0], [-1, -1, head, -1]),
                tf.broadcastTo(
                  tf.tensor(centre!.slice(head * spec.dHead, (head + 1) * spec.dHead), [1, 1, 1, spec.dHead]),
                  [1, ids.length, 1, spec.dHead],
                ),
                tf.slice(z, [0, 0, head + 1, 0], [-1, -1, spec.heads - head - 1, -1]),
              ],
              2,
            ),
        };
        const run = forward(spec, w, { ids: x! }, edits);
        return { middle: run.at(`blocks.${layer}.hook_resid_mid`), q: tf.logSoftmax(run.at('logits')) };
      },
      { inputs: { x: { shape: [1, ids.length], dtype: 'int32' } }, weights },
    );
    const after = await ablated.run({ x: ids });
    for (let i = 0; i < lost!.length; i++) expect(after.middle![i]!).toBeCloseTo(middle![i]! - lost![i]!, 2);
    const actual = await divergence(`L${layer}.H${head}`);
    for (let position = 0; position < ids.length; position++) {
      let expected = 0;
      for (let token = 0; token < spec.vocab; token++) {
        const [a, b] = [p![position * spec.vocab + token]!, after.q![position * spec.vocab + token]!];
        expected += Math.exp(a) * (a - b);
      }
      expect(actual[position]!).toBeCloseTo(expected, 4);
    }
  });

  it('is never negative', async () => {
    for (const unit of ['L0.H1', 'L2.N5'])
      for (const nats of await divergence(unit)) expect(nats).toBeGreaterThan(-1e-4);
  });

  it('refuses units that cannot be ablated', async () => {
    await expect(divergence('logit: the')).rejects.toThrow(/only heads, neurons and experts/);
  });
});
