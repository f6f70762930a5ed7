/** Sequences in a frame, against the same tokens read as one sequence. */
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { runOn } from '../../../test/helpers/engines.js';
import { padCache } from '../../../test/helpers/pad-cache.js';
import { randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import * as tf from '../../engine/functions/tfjs.js';
import { embedTokens } from './embed.js';
import type { Place } from './places.js';
import type { TransformerSpec } from './spec.js';
import { forward, sequenceLogProbs, step } from './transformer.js';

const sizes = { vocab_size: 13, hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3 };
const configs = {
  ...tinyConfigs,
  windowed: { ...tinyConfigs.llama, model_type: 'mistral', sliding_window: 3 },
  alibi: { ...sizes, model_type: 'bloom', n_head: 3, n_layer: 2, seq_length: 9, bos_token_id: 0 },
};

const before = [0, 5, 3];
const after = [7, 2];
const rows = [
  [3, 9, 1, 4],
  [3, 2, 11, 6],
];
const texts = { shape: [2, 4], data: Int32Array.from(rows.flat()) };
const wholes = {
  shape: [2, 8],
  data: Int32Array.from(rows.flatMap((row) => [...before.slice(0, -1), ...row, ...after])),
};

const inFrame = (spec: TransformerSpec): TransformerSpec => ({
  ...spec,
  context: spec.context - 4,
  frame: { before, after },
});

const places: Place[] = [
  'blocks.1.hook_resid_post',
  'blocks.1.attn.hook_z',
  'blocks.0.mlp.hook_post',
  'logits',
];

describe.each(Object.entries(configs))('a frame around texts of %s', (_, config) => {
  const { spec, weights } = randomModel(config, 2);
  const framed = inFrame(spec);

  it.each(['cpu', 'onnx'] as const)('is read as the same tokens in one sequence, on %s', async (engine) => {
    const own = await runOn(
      engine,
      ({ ids }, lookup) => {
        const pass = forward(framed, lookup, { ids: ids! });
        return {
          ...Object.fromEntries(places.map((place) => [place, pass.at(place)])),
          pattern: pass.at('blocks.1.attn.hook_pattern'),
          logProbs: sequenceLogProbs(framed, lookup, pass, ids!),
          gradient: tf.grad((x: tf.Tensor) =>
            tf.sum(tf.square(forward(framed, lookup, { embeddings: x }).at('logits'))),
          )(embedTokens(spec, lookup, ids!)),
        };
      },
      { ids: texts },
      weights,
    );
    const lead = before.length - 1;
    const whole = await runOn(
      engine,
      ({ ids }, lookup) => {
        const pass = forward(spec, lookup, { ids: ids! });
        const behindLead = (x: tf.Tensor, axis = 1, size = -1) =>
          tf.slice(
            x,
            x.shape.map((_, i) => (i === axis ? lead : 0)),
            x.shape.map((_, i) => (i === axis ? size : -1)),
          );
        const squares = (x: tf.Tensor) =>
          tf.sum(tf.square(behindLead(forward(spec, lookup, { embeddings: x }).at('logits'))));
        return {
          ...Object.fromEntries(places.map((place) => [place, behindLead(pass.at(place))])),
          pattern: behindLead(pass.at('blocks.1.attn.hook_pattern'), 2),
          logProbs: behindLead(sequenceLogProbs(spec, lookup, pass, ids!), 1, 3),
          gradient: behindLead(tf.grad(squares)(embedTokens(spec, lookup, ids!)), 1, 4),
        };
      },
      { ids: wholes },
      weights,
    );
    for (const [name, { shape, data }] of Object.entries(whole)) {
      expect(own[name]!.shape, name).toEqual(shape);
      expect(relativeError(own[name]!.data, data), name).toBeLessThan(1e-4);
    }
  });

  it('is read on token by token from a cache that it stands in', async () => {
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => {
      const text = (from: number, size: number) => tf.slice(inputs.ids!, [0, from], [2, size]);
      const begun = forward({ ...framed, frame: { before, after: [] } }, lookup, { ids: text(0, 3) });
      const last = step(framed, lookup, {
        ids: tf.reshape(text(3, 1), [2]),
        positions: tf.tensor1d([3, 3], 'int32'),
        cache: padCache(begun.cache(), 8),
      });
      const all = forward(framed, lookup, { ids: inputs.ids! }).at('logits');
      return { got: last.at('logits'), want: tf.slice(all, [0, 3, 0], [2, 1, -1]) };
    };
    const { got, want } = await runOn('onnx', fn, { ids: texts }, weights);
    expect(relativeError(got!.data, want!.data)).toBeLessThan(1e-4);
  });

  it('takes its room in the context', () => {
    const ids = tf.zeros([1, framed.context + 1], 'int32');
    expect(() => forward(framed, () => ids, { ids })).toThrow(/longer than the model's context/);
  });
});
