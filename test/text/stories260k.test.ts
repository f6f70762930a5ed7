import { beforeAll, describe, expect, test } from 'vitest';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';
import { relativeError } from '../helpers/compare.js';
import { engines, runOn } from '../helpers/engines.js';
import { cases, missing, reference, stories } from '../helpers/stories260k.js';

describe.skipIf(missing)(reference.title('stories260k'), () => {
  let model: TextModel;
  beforeAll(async () => {
    model = await loadTextModel(stories.path);
  });

  test('tokens', () => {
    expect(cases).toHaveLength(3);
    for (const { text, input_ids } of cases) {
      expect(model.tokenizer.encode(text)).toEqual(input_ids);
      expect(model.tokenizer.decode(input_ids)).toBe(text);
      expect(model.tokenizer.roundTrips(input_ids)).toBe(true);
    }
  });

  describe.each(engines)('on $engine', ({ engine, skipped }) => {
    test.skipIf(skipped !== null)(
      `log-probabilities, heads and neurons${skipped ? ` (${skipped})` : ''}`,
      async () => {
        const { spec, weights } = model;
        for (const { input_ids, ...expected } of cases) {
          const pos = input_ids.length;
          const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
          const fn: TensorFunction = ({ ids }, weights) => {
            const run = forward(spec, weights, { ids: ids! });
            const norms = layers.map((layer) => {
              const result = run.at(`blocks.${layer}.attn.hook_result`); // [1, pos, head, dModel]
              return tf.transpose(tf.norm(result, 'euclidean', -1), [0, 2, 1]); // [1, head, pos]
            });
            const neurons = layers.flatMap((layer) =>
              [0, 10].map((neuron) =>
                tf.slice(run.at(`blocks.${layer}.mlp.hook_post`), [0, 0, neuron], [1, pos, 1]),
              ),
            );
            return {
              logProbs: sequenceLogProbs(spec, weights, run, ids!),
              norms: tf.concat(norms, 0),
              neurons: tf.concat(neurons, 0),
              next: tf.argMax(tf.slice(run.at('logits'), [0, pos - 1, 0], [1, 1, spec.vocab]), -1),
            };
          };
          const ids = { shape: [1, pos], data: Int32Array.from(input_ids) };
          const { logProbs, norms, neurons, next } = await runOn(engine, fn, { ids }, weights);
          expect(relativeError(logProbs!.data, expected.token_logprobs)).toBeLessThan(1e-4);
          expect(relativeError(norms!.data, expected.head_delta_norm.flat(2))).toBeLessThan(1e-4);
          expect(relativeError(neurons!.data, expected.neurons_0_and_10.flat(2))).toBeLessThan(1e-4);
          expect(next!.data[0]).toBe(expected.last_logits_argmax);
        }
      },
    );
  });
});
