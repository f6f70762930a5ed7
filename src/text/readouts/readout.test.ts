/** Measures and their calibration against plain loops over what `forward` gives, eagerly on the cpu. */
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { type Output, runOn } from '../../../test/helpers/engines.js';
import { calibrationOn, randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import { bodyModule, unembeddingModule } from '../lm/parameters.js';
import type { Place } from '../lm/places.js';
import { forward } from '../lm/transformer.js';
import { PrefixReward } from '../sampling/prefix-reward.js';
import { emptySequences } from '../sampling/sequences.js';
import { DirectionGroup } from './direction.js';
import type { GroupStatistics } from './group-statistics.js';
import { headGroup } from './head.js';
import { headMeasures } from './head-measures.js';
import { LogitGroup } from './logit.js';
import { NeuronGroup } from './neuron.js';
import type { ReadoutGroup } from './readout.js';
import { scoreCounted, scoreSequence } from './sequence-score.js';

const positions = 7;
/** Two full batches of calibration and one that is filled up. */
const calibrationRows = 130;
const layer = 1;

describe.each(Object.entries(tinyConfigs))('%s', (_, config) => {
  const { spec, weights } = randomModel(config);
  const { heads, dHead, dModel, dMlp, vocab, layers } = spec;
  const head = Array.from({ length: heads }, (_, h) => h);

  const random = new Random(7);
  const ids = (rows: number) =>
    Int32Array.from({ length: rows * positions }, (_, i) =>
      i % positions === 0 ? 0 : random.integer(vocab),
    );
  const text = ids(3);
  const calibrationText = ids(calibrationRows);
  const calibration = calibrationOn({ spec, weights }, calibrationText, positions);

  /** What `forward` gives at places, by name. */
  async function at(rows: Int32Array, ...places: Place[]): Promise<Output[]> {
    const shape = [rows.length / positions, positions];
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => {
      const run = forward(spec, lookup, { ids: inputs.ids! });
      return Object.fromEntries(places.map((place) => [place, run.at(place)]));
    };
    const outputs = await runOn('cpu', fn, { ids: { shape, data: rows } }, weights);
    return places.map((place) => outputs[place]!);
  }

  /** The measure as compiled, `[row, pos, unit]`. */
  async function measured(group: ReadoutGroup): Promise<Float32Array> {
    const { centre } = await calibration.statistics(group);
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
      values: group.read(
        { spec, weights: lookup, pass: forward(spec, lookup, { ids: inputs.ids! }) },
        centre,
      ),
    });
    const ids = { shape: [3, positions], data: text };
    const outputs = await runOn('onnx', fn, { ids }, extendWeights(weights, brought(group)));
    return outputs.values!.data as Float32Array;
  }

  const brought = (group: ReadoutGroup) => (group.weights ? [group.weights] : []);
  const norm = (x: readonly number[]) => Math.hypot(...x);
  const result: Place = `blocks.${layer}.attn.hook_result`;

  /** Every head's residual delta at every position, `[row * pos][head][dModel]`. */
  async function deltas(rows: Int32Array): Promise<number[][][]> {
    const [{ data }] = (await at(rows, result)) as [Output];
    return Array.from({ length: rows.length }, (_, t) =>
      head.map((h) => Array.from(data.subarray((t * heads + h) * dModel, (t * heads + h + 1) * dModel))),
    );
  }

  /** Mean over all positions but the first of each sequence. */
  function meanPastFirst(values: readonly number[][]): number[] {
    const counted = values.filter((_, t) => t % positions !== 0);
    return counted[0]!.map((_, i) => counted.reduce((sum, value) => sum + value[i]!, 0) / counted.length);
  }

  let centred: number[][][];
  let calibrationDeltas: number[][][];
  let meanDeltas: number[][];
  beforeAll(async () => {
    calibrationDeltas = await deltas(calibrationText);
    meanDeltas = head.map((h) => meanPastFirst(calibrationDeltas.map((byHead) => byHead[h]!)));
    centred = (await deltas(text)).map((byHead) =>
      byHead.map((delta, h) => delta.map((x, i) => x - meanDeltas[h]![i]!)),
    );
  });

  it('raw: the norm of a head’s residual delta', async () => {
    const expected = (await deltas(text)).flatMap((byHead) => byHead.map(norm));
    expect(relativeError(await measured(headGroup(spec, layer, 'raw')), expected)).toBeLessThan(1e-5);
  });

  it('delta: the norm less the mean over calibration tokens', async () => {
    const expected = centred.flatMap((byHead) => byHead.map(norm));
    expect(relativeError(await measured(headGroup(spec, layer, 'delta')), expected)).toBeLessThan(1e-5);
  });

  it('attention: the largest entry of the pattern beyond the sink', async () => {
    const [pattern] = (await at(text, `blocks.${layer}.attn.hook_pattern`)) as [Output];
    const entry = (row: number, h: number, query: number, key: number) =>
      pattern.data[((row * heads + h) * positions + query) * positions + key]!;
    const expected = Array.from({ length: text.length }, (_, t) =>
      head.map((h) => {
        const [row, query] = [Math.floor(t / positions), t % positions];
        return Math.max(...Array.from({ length: positions - 1 }, (_, key) => entry(row, h, query, key + 1)));
      }),
    ).flat();
    const values = await measured(headGroup(spec, layer, 'attention'));
    expect(relativeError(values, expected)).toBeLessThan(1e-5);
  });

  /** What a centred delta adds to the logits when the final norm's scale stays as it is, mean-subtracted. */
  async function logitChanges(): Promise<number[][][]> {
    const [stream] = (await at(text, `blocks.${layers - 1}.hook_resid_post`)) as [Output];
    const gain = weights.read(`${bodyModule(spec, 'finalNorm')}.weight`);
    const matrix = weights.read(`${unembeddingModule(spec)}.weight`);
    const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
    const centre = (x: number[]) => (spec.norm.kind === 'layer' ? x.map((value) => value - mean(x)) : x);
    return centred.map((byHead, t) => {
      const x = centre(Array.from(stream.data.subarray(t * dModel, (t + 1) * dModel)));
      const scale = 1 / Math.sqrt(mean(x.map((value) => value * value)) + spec.norm.eps);
      return byHead.map((delta) => {
        const written = centre(delta).map((value, i) => value * scale * gain[i]!);
        const logits = Array.from({ length: vocab }, (_, token) =>
          written.reduce((sum, value, i) => sum + value * matrix[token * dModel + i]!, 0),
        );
        return logits.map((logit) => logit - mean(logits));
      });
    });
  }

  it('logits: the norm of the net logit change', async () => {
    const expected = (await logitChanges()).flatMap((byHead) => byHead.map(norm));
    expect(relativeError(await measured(headGroup(spec, layer, 'logits')), expected)).toBeLessThan(1e-5);
  });

  it('logits toward a token: its own net logit change, signed', async () => {
    const expected = (await logitChanges()).flatMap((byHead) => byHead.map((change) => change[5]!));
    expect(relativeError(await measured(headGroup(spec, layer, { toward: 5 })), expected)).toBeLessThan(1e-5);
    expect(Math.min(...expected)).toBeLessThan(0);
  });

  it('reads the weights of as many layers as it says, and no others', async () => {
    const vector = Float32Array.from({ length: dModel }, () => random.normal());
    const groups: ReadoutGroup[] = [
      ...[...headMeasures, { toward: 3 }].map((measure) => headGroup(spec, 0, measure)),
      new NeuronGroup(spec, 0, 'pre'),
      new NeuronGroup(spec, 0, 'post'),
      new DirectionGroup('random', 1, vector),
      new LogitGroup(spec, 'logit: five', 3),
    ];
    for (const group of groups) {
      const { centre } = await calibration.statistics(group);
      let read = 0;
      const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => {
        const watched = (name: string) => {
          const block = /\.(\d+)\./.exec(name);
          if (block) read = Math.max(read, Number(block[1]) + 1);
          return lookup(name);
        };
        const run = forward(spec, watched, { ids: inputs.ids! });
        return { values: group.read({ spec, weights: watched, pass: run }, centre) };
      };
      const ids = { shape: [3, positions], data: text };
      await runOn('cpu', fn, { ids }, extendWeights(weights, brought(group)));
      expect([group.key, read]).toEqual([group.key, group.depth]);
    }
  });

  it('neurons, directions and logits: what stands at their place', async () => {
    const [pre, post, stream, logits] = (await at(
      text,
      `blocks.${layer}.mlp.hook_pre`,
      `blocks.${layer}.mlp.hook_post`,
      `blocks.${layer}.hook_resid_pre`,
      'logits',
    )) as [Output, Output, Output, Output];
    const neurons = (side: 'pre' | 'post') => measured(new NeuronGroup(spec, layer, side));
    expect(relativeError(await neurons('pre'), pre.data)).toBeLessThan(1e-5);
    expect(relativeError(await neurons('post'), post.data)).toBeLessThan(1e-5);

    const vector = new Random(3).normals(dModel);
    const along = Array.from({ length: text.length }, (_, t) =>
      vector.reduce((sum, x, i) => sum + x * stream.data[t * dModel + i]!, 0),
    );
    const direction = await measured(new DirectionGroup('random', layer, vector));
    expect(relativeError(direction, along)).toBeLessThan(1e-5);

    const ofToken = Array.from({ length: text.length }, (_, t) => logits.data[t * vocab + 5]!);
    expect(relativeError(await measured(new LogitGroup(spec, 'logit: five', 5)), ofToken)).toBeLessThan(1e-5);
  });

  describe('calibration', () => {
    /** Moments over all positions but the first of each sequence, of values `[row * pos][unit]`. */
    function expectMoments({ mean, deviation, max }: GroupStatistics, values: readonly number[][]): void {
      const means = meanPastFirst(values);
      const squares = meanPastFirst(values.map((row) => row.map((x, i) => (x - means[i]!) ** 2)));
      const counted = values.filter((_, t) => t % positions !== 0);
      expect(relativeError(mean, means)).toBeLessThan(1e-5);
      expect(relativeError(deviation, squares.map(Math.sqrt))).toBeLessThan(1e-5);
      const largest = means.map((_, i) => Math.max(...counted.map((row) => row[i]!)));
      expect(relativeError(max, largest)).toBeLessThan(1e-5);
    }

    it('gives the moments of neurons', async () => {
      const [{ data }] = (await at(calibrationText, `blocks.${layer}.mlp.hook_post`)) as [Output];
      const values = Array.from({ length: calibrationText.length }, (_, t) =>
        Array.from(data.subarray(t * dMlp, (t + 1) * dMlp)),
      );
      expectMoments(await calibration.statistics(new NeuronGroup(spec, layer, 'post')), values);
    });

    it('gives the moments of centred deltas, and the mean they are centred on', async () => {
      const statistics = await calibration.statistics(headGroup(spec, layer, 'delta'));
      const norms = calibrationDeltas.map((byHead) =>
        byHead.map((delta, h) => norm(delta.map((x, i) => x - meanDeltas[h]![i]!))),
      );
      expectMoments(statistics, norms);
      const [{ data }] = (await at(calibrationText, `blocks.${layer}.attn.hook_z`)) as [Output];
      const z = Array.from({ length: calibrationText.length }, (_, t) =>
        Array.from(data.subarray(t * heads * dHead, (t + 1) * heads * dHead)),
      );
      expect(relativeError(statistics.centre!, meanPastFirst(z))).toBeLessThan(1e-5);
    });
  });
});

describe('scoreSequence', () => {
  const values = () => tf.tensor([9, 1, 5, 3, 8, -2, -7, -4], [2, 4]);

  it.each([
    ['max', [5, -2]],
    ['last', [3, -4]],
    ['mean', [3, -13 / 3]],
  ] as const)('%s, position 0 never counting', async (at, expected) => {
    const { scores } = await runOn('cpu', () => ({ scores: scoreSequence(values(), at) }), {});
    expect(relativeError(scores!.data, expected)).toBeLessThan(1e-6);
    const units = () => ({ scores: scoreSequence(tf.stack([values(), tf.neg(values())], 2), at) });
    const { scores: both } = await runOn('cpu', units, {});
    expect(both!.shape).toEqual([2, 2]);
    expect(both!.data[0]).toBeCloseTo(expected[0], 5);
    expect(both!.data[2]).toBeCloseTo(expected[1], 5);
  });

  it('says what is wrong with a word that no type check saw', () => {
    const wrong = 'peak' as 'max';
    const words = '"at" is "peak": which position speaks for a text must be max, last, mean';
    expect(() => scoreSequence(values(), wrong)).toThrow(new UsageError(words));
    expect(() => scoreCounted(values(), wrong, tf.ones([4]))).toThrow(new UsageError(words));
    const sequences = { ...emptySequences(1, 4, 1, 0), z: new Float32Array(4) };
    expect(() => new PrefixReward(wrong).of(sequences, 0, 3)).toThrow(new UsageError(words));
  });
});
