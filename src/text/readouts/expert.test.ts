/** Experts and their neurons against plain loops, and the quicker way to compute the chosen ones. */
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { runOn } from '../../../test/helpers/engines.js';
import { padCache } from '../../../test/helpers/pad-cache.js';
import { randomModel } from '../../../test/helpers/random-model.js';
import * as tf from '../../engine/functions/tfjs.js';
import { embedTokens } from '../lm/embed.js';
import type { Edits } from '../lm/reading.js';
import { forward, step } from '../lm/transformer.js';
import { ExpertGroup, ExpertNeuronGroup } from './expert.js';
import { formatUnit } from './kinds.js';
import { NeuronGroup } from './neuron.js';
import type { ReadoutGroup } from './readout.js';
import { parseTextUnit } from './units.js';

const [count, chosen, neurons, dModel, pos] = [8, 2, 5, 12, 6];
const model = (changes: object = {}) =>
  randomModel({
    model_type: 'qwen3_moe',
    hidden_size: dModel,
    intermediate_size: 10,
    moe_intermediate_size: neurons,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_experts: count,
    num_experts_per_tok: chosen,
    norm_topk_prob: true,
    vocab_size: 13,
    max_position_embeddings: 9,
    ...changes,
  });
const { spec, weights } = model();
const ids = { shape: [1, pos], data: Int32Array.from([0, 4, 7, 1, 12, 3]) };

const measured = async (group: ReadoutGroup) => {
  const { values } = await runOn(
    'cpu',
    ({ ids }, weights) => {
      const pass = forward(spec, weights, { ids: ids! });
      return { values: group.read({ spec, weights, pass }) };
    },
    { ids },
    weights,
  );
  return values!;
};

describe('units of experts', () => {
  it('have gradients that methods can follow, a neuron where its expert is chosen', async () => {
    const groups: Record<string, ReadoutGroup[]> = {
      logit: [new ExpertGroup(spec, 1, 'logit')],
      weight: [new ExpertGroup(spec, 1, 'weight')],
      neurons: Array.from({ length: count }, (_, e) => new ExpertNeuronGroup(spec, 1, e)),
    };
    const outputs = await runOn(
      'onnx',
      ({ ids }, weights) => {
        const gradient = (group: readonly ReadoutGroup[]) =>
          tf.grad((embeddings: tf.Tensor) => {
            const pass = forward(spec, weights, { embeddings });
            const squares = group.map((each) => tf.sum(tf.square(each.read({ spec, weights, pass }))));
            return tf.addN(squares) as tf.Scalar;
          })(embedTokens(spec, weights, ids!));
        return Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, gradient(group)]));
      },
      { ids },
      weights,
    );
    for (const [name, { data }] of Object.entries(outputs))
      expect([name, data.some((x) => x !== 0), data.every(Number.isFinite)]).toEqual([name, true, true]);
  });

  it('are the router’s logits, the weights of the chosen, and neurons where an expert is chosen', async () => {
    const logits = await measured(new ExpertGroup(spec, 1, 'logit'));
    const shares = await measured(new ExpertGroup(spec, 1, 'weight'));
    expect([logits.shape, shares.shape]).toEqual([
      [1, pos, count],
      [1, pos, count],
    ]);
    const posts = await Promise.all(
      Array.from({ length: count }, (_, e) => measured(new ExpertNeuronGroup(spec, 1, e))),
    );
    for (let t = 0; t < pos; t++) {
      const own = Array.from(logits.data.subarray(t * count, (t + 1) * count));
      const best = own
        .map((_, e) => e)
        .sort((a, b) => own[b]! - own[a]!)
        .slice(0, chosen);
      const total = best.reduce((sum, e) => sum + Math.exp(own[e]!), 0);
      const expected = own.map((x, e) => (best.includes(e) ? Math.exp(x) / total : 0));
      expect(relativeError(shares.data.subarray(t * count, (t + 1) * count), expected)).toBeLessThan(1e-5);
      for (const [e, { data }] of posts.entries()) {
        const active = data.subarray(t * neurons, (t + 1) * neurons).some((x) => x !== 0);
        expect(active).toBe(best.includes(e));
      }
    }
  });

  it.each(['qwen3_moe', 'gpt_oss'])(
    '%s: what experts write sums to what the layer adds',
    async (model_type) => {
      const { spec, weights } = model({ model_type, num_local_experts: count, intermediate_size: neurons });
      const { whole, experts, each, ofNeurons } = await runOn(
        'cpu',
        ({ ids }, weights) => {
          const context = { spec, weights, pass: forward(spec, weights, { ids: ids! }) };
          const { effect } = new ExpertGroup(spec, 1, 'logit');
          const written = Array.from({ length: count }, (_, e) => effect.written(context, e));
          const neuron = new ExpertNeuronGroup(spec, 1, 2).effect;
          return {
            whole: context.pass.at('blocks.1.hook_mlp_out'),
            experts: tf.addN(written),
            each: effect.writtenByEach(context, tf.ones([1, count])),
            ofNeurons: tf.sub(
              neuron.writtenByEach(context, tf.ones([1, neurons])),
              tf.addN(Array.from({ length: neurons }, (_, n) => neuron.written(context, n))),
            ),
          };
        },
        { ids },
        weights,
      );
      expect(relativeError(experts!.data, whole!.data)).toBeLessThan(1e-5);
      expect(relativeError(each!.data, whole!.data)).toBeLessThan(1e-5);
      expect(Math.max(...Array.from(ofNeurons!.data, Math.abs))).toBeLessThan(1e-5);
    },
  );

  it('put to their means change what the layer adds by the difference, computed by hand', async () => {
    const [expert, neuron] = [3, 1];
    const means = { E: new Float32Array(count).fill(0.3), N: new Float32Array(neurons).fill(0.7) };
    const statistics = (mean: Float32Array) => ({ mean, deviation: mean, max: mean });
    const edits = {
      E: new ExpertGroup(spec, 1, 'logit').effect.ablation(expert, statistics(means.E)),
      N: new ExpertNeuronGroup(spec, 1, expert).effect.ablation(neuron, statistics(means.N)),
    };
    const read = await runOn(
      'cpu',
      ({ ids }, weights) => {
        const added = (own: Edits) => forward(spec, weights, { ids: ids! }, own).at('blocks.1.hook_mlp_out');
        const pass = forward(spec, weights, { ids: ids! });
        return {
          whole: added({}),
          E: added(edits.E),
          N: added(edits.N),
          x: pass.at('blocks.1.mlp.hook_in'),
          shares: pass.at('blocks.1.mlp.hook_shares'),
        };
      },
      { ids },
      weights,
    );
    const matrix = (part: string) =>
      weights
        .read(`model.layers.1.mlp.experts.${part}_proj`)
        .subarray(expert * neurons * dModel, (expert + 1) * neurons * dModel);
    const [gate, up, down] = [matrix('gate'), matrix('up'), matrix('down')];
    for (let t = 0; t < pos; t++) {
      const dot = (rows: Float32Array, n: number) =>
        rows
          .subarray(n * dModel, (n + 1) * dModel)
          .reduce((sum, w, i) => sum + w * read.x!.data[t * dModel + i]!, 0);
      const post = Array.from(
        { length: neurons },
        (_, n) => (dot(gate, n) / (1 + Math.exp(-dot(gate, n)))) * dot(up, n),
      );
      const share = read.shares!.data[t * count + expert]!;
      for (let i = 0; i < dModel; i++) {
        const output = post.reduce((sum, x, n) => sum + x * down[n * dModel + i]!, 0);
        const at = t * dModel + i;
        const before = read.whole!.data[at]!;
        expect(read.E!.data[at]! - before).toBeCloseTo((0.3 - share) * output, 4);
        expect(read.N!.data[at]! - before).toBeCloseTo(
          (0.7 - share * post[neuron]!) * down[neuron * dModel + i]!,
          4,
        );
      }
    }
  });

  it('are named, listed and checked', () => {
    for (const name of ['L1.E7', 'L0.E0:weight', 'L1.E3.N4'])
      expect(formatUnit(parseTextUnit(name, spec))).toBe(name);
    const refused = (name: string, of = spec) => {
      try {
        parseTextUnit(name, of);
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error(`${name} was accepted`);
    };
    expect(refused('L1.E8')).toContain('its experts are numbered 0 to 7');
    expect(refused('L1.E3.N5')).toContain('its neurons are numbered 0 to 4');
    expect(refused('L0.N1')).toContain('the neurons of layer 0 are those of experts, L0.E0.N0 to L0.E7.N4');
    expect(refused('x')).toContain('experts L0.E0 to L1.E7 (or E0:weight), neurons of experts L0.E0.N0 to');
    const dense = model({ mlp_only_layers: [0, 1] }).spec;
    expect(refused('L1.E3', dense)).toContain('layer 1 has neurons, not experts');
    const mixed = model({ mlp_only_layers: [0] }).spec;
    expect(new ExpertGroup(mixed, 1, 'logit').siblings.inLayer(0)).toBeNull();
    expect(new NeuronGroup(mixed, 0, 'post').siblings.inLayer(1)).toBeNull();
  });
});

it.each(['cpu', 'onnx'] as const)(
  '%s: one token, whose experts’ matrices alone are read, computes what it does within a sequence',
  async (engine) => {
    const outputs = await runOn(
      engine,
      ({ ids }, weights) => {
        const whole = forward(spec, weights, { ids: ids! });
        const last = step(spec, weights, {
          ids: tf.slice(tf.reshape(ids!, [pos]), pos - 1, 1),
          positions: tf.tensor([pos - 1], [1], 'int32'),
          cache: padCache(forward(spec, weights, { ids: tf.slice(ids!, [0, 0], [1, pos - 1]) }).cache(), pos),
        });
        return {
          whole: tf.slice(whole.at('logits'), [0, pos - 1, 0], [1, 1, spec.vocab]),
          last: last.at('logits'),
        };
      },
      { ids },
      weights,
    );
    expect(relativeError(outputs.last!.data, outputs.whole!.data)).toBeLessThan(1e-5);
  },
);
