/**
 * @file Scoring many sequences for one unit: how probable, how strong, how selective. The inner loop of every
 * search is one compiled graph, and only a few numbers a sequence come back.
 */
import { type Compiled, compile, type EngineName } from '../engine/compile.js';
import * as tf from '../engine/tfjs.js';
import type { WeightLookup, WeightSource } from '../engine/weights.js';
import type { Calibration, GroupStatistics } from './calibration.js';
import {
  groupKey,
  measure,
  rawGroup,
  type SequenceScore,
  scoreSequence,
  type UnitGroup,
} from './measures.js';
import { padRows } from './prior.js';
import type { MeasuredUnit, ReferenceClass } from './reference.js';
import type { TransformerSpec } from './spec.js';
import { forward, type Run, sequenceLogProbs } from './transformer.js';

/** What a sequence is worth. Arrays have one entry a sequence. */
export interface Scores {
  /** Nats a token under the prior, BOS not counted. */
  readonly crossEntropy: Float32Array;
  /** Sigmas. */
  readonly z: Float32Array;
  /** The measure in its own unit where z peaks; of `delta` and `logits` of heads, see `rawGroup`. */
  readonly raw: Float32Array;
  /** z less the strongest rival's; null for an empty reference class. */
  readonly margin: Float32Array | null;
  /** 1 + how many rivals are stronger; null for an empty reference class. */
  readonly rank: Int32Array | null;
}

export interface ProbeOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  readonly unit: MeasuredUnit;
  readonly reference: ReferenceClass;
  readonly calibration: Calibration;
  readonly at: SequenceScore;
  readonly engine: EngineName;
}

/** What one text does to a unit, position by position. */
export interface Details {
  /** ln p of each token given those before it, nats; `[positions - 1]`. */
  readonly logProbs: Float32Array;
  /** `[positions]` */
  readonly raw: Float32Array;
  /** Sigmas, `[positions]`; what stands at position 0 never counts. */
  readonly z: Float32Array;
  readonly margin: number | null;
  readonly rank: number | null;
}

/** A unit and its rivals over sequences, as tensors, `[batch]` each. */
interface UnitScores {
  readonly z: tf.Tensor;
  readonly raw: tf.Tensor;
  readonly margin: tf.Tensor | null;
  readonly rank: tf.Tensor | null;
}

/** A unit with everything needed to score it: its statistics and those of its rivals. */
export class Probe {
  private readonly programs = new Map<string, Promise<Compiled>>();

  private constructor(
    readonly options: ProbeOptions,
    private readonly statistics: ReadonlyMap<string, GroupStatistics>,
  ) {}

  static async create(options: ProbeOptions): Promise<Probe> {
    const groups = [options.unit.group, ...options.reference.parts.map(({ group }) => group)];
    const statistics = new Map<string, GroupStatistics>();
    for (const group of groups) statistics.set(groupKey(group), await options.calibration.statistics(group));
    return new Probe(options, statistics);
  }

  /** Mean and deviation of the unit's measure over calibration text. */
  get moments(): { mean: number; deviation: number } {
    const { group, index } = this.options.unit;
    const { mean, deviation } = this.statistics.get(groupKey(group))!;
    return { mean: mean[index]!, deviation: deviation[index]! };
  }

  /**
   * @param ids - `[count, positions]`, BOS in front
   * @param batch - sequences computed together; a last batch that is smaller is filled up, so that the result does
   *   not depend on how sequences are grouped
   */
  async score(ids: Int32Array, positions: number, batch: number): Promise<Scores> {
    const count = ids.length / positions;
    const program = await this.program(batch, positions);
    const selective = this.options.reference.size > 0;
    const scores = {
      crossEntropy: new Float32Array(count),
      z: new Float32Array(count),
      raw: new Float32Array(count),
      margin: selective ? new Float32Array(count) : null,
      rank: selective ? new Int32Array(count) : null,
    };
    for (let start = 0; start < count; start += batch) {
      const part = ids.subarray(start * positions, Math.min(count, start + batch) * positions);
      const result = await program.run({ ids: padRows(part, batch, positions) });
      const rows = part.length / positions;
      scores.crossEntropy.set((result.crossEntropy as Float32Array).subarray(0, rows), start);
      scores.z.set((result.z as Float32Array).subarray(0, rows), start);
      scores.raw.set((result.raw as Float32Array).subarray(0, rows), start);
      scores.margin?.set((result.margin as Float32Array).subarray(0, rows), start);
      scores.rank?.set((result.rank as Int32Array).subarray(0, rows), start);
    }
    return scores;
  }

  /** @param ids - one sequence, BOS in front */
  async details(ids: Int32Array): Promise<Details> {
    const { spec, weights, engine } = this.options;
    const program = await compile(
      (inputs, lookup) => {
        const run = forward(spec, lookup, { ids: inputs.ids! });
        const { margin, rank } = this.unitScores(lookup, run);
        const { raw, z } = this.unitAtPositions(lookup, run);
        const logProbs = sequenceLogProbs(spec, lookup, run, inputs.ids!);
        return { raw, z, logProbs, ...(margin && { margin }), ...(rank && { rank }) };
      },
      { inputs: { ids: { shape: [1, ids.length], dtype: 'int32' } }, weights, engine },
    );
    const { raw, z, logProbs, margin, rank } = await program.run({ ids });
    program.dispose();
    return {
      raw: raw as Float32Array,
      z: z as Float32Array,
      logProbs: logProbs as Float32Array,
      margin: margin?.[0] ?? null,
      rank: rank?.[0] ?? null,
    };
  }

  private program(batch: number, positions: number): Promise<Compiled> {
    const key = `${batch} ${positions}`;
    const { spec, weights, engine } = this.options;
    const program =
      this.programs.get(key) ??
      compile(
        (inputs, lookup) => {
          const run = forward(spec, lookup, { ids: inputs.ids! });
          const { z, raw, margin, rank } = this.unitScores(lookup, run);
          const crossEntropy = tf.neg(tf.mean(sequenceLogProbs(spec, lookup, run, inputs.ids!), 1));
          return { crossEntropy, z, raw, ...(margin && { margin }), ...(rank && { rank }) };
        },
        { inputs: { ids: { shape: [batch, positions], dtype: 'int32' } }, weights, engine },
      );
    this.programs.set(key, program);
    return program;
  }

  /** z of every unit of a group at every position: `[batch, pos, unit]`. */
  groupZ(weights: WeightLookup, run: Run, group: UnitGroup): tf.Tensor {
    const { mean, deviation, centre } = this.statistics.get(groupKey(group))!;
    const raw = measure(this.options.spec, weights, run, group, centre);
    const gain = deviation.map((x) => 1 / x);
    const shift = mean.map((x, i) => -x * gain[i]!);
    return tf.add(tf.mul(raw, tf.tensor1d(gain)), tf.tensor1d(shift));
  }

  /** The unit's own measure and its z at every position, `[batch, pos]`. */
  unitAtPositions(weights: WeightLookup, run: Run): { raw: tf.Tensor; z: tf.Tensor } {
    const { spec, unit } = this.options;
    const own = rawGroup(unit.group);
    const { centre } = this.statistics.get(groupKey(unit.group))!;
    return {
      raw: column(measure(spec, weights, run, own, centre), unit.index),
      z: column(this.groupZ(weights, run, unit.group), unit.index),
    };
  }

  /** z of the unit over the sequence: `[batch]`. Differentiable. */
  unitZ(weights: WeightLookup, run: Run): tf.Tensor {
    return scoreSequence(this.unitAtPositions(weights, run).z, this.options.at);
  }

  /**
   * z of the unit, and after it those of its rivals where they are asked for, at every position:
   * `[batch, pos, 1 + rivals]`.
   */
  trackedZ(weights: WeightLookup, run: Run, withRivals: boolean): tf.Tensor {
    const own = tf.expandDims(this.unitAtPositions(weights, run).z, 2);
    if (!withRivals) return own;
    const rivals = this.options.reference.parts.map(({ group, indices }) =>
      tf.gather(this.groupZ(weights, run, group), tf.tensor1d([...indices], 'int32'), 2),
    );
    return tf.concat([own, ...rivals], 2);
  }

  private unitScores(weights: WeightLookup, run: Run): UnitScores {
    const { at, reference } = this.options;
    const unit = this.unitAtPositions(weights, run);
    const z = scoreSequence(unit.z, at);
    const raw = at === 'max' ? valueAtPeak(unit.raw, unit.z) : scoreSequence(unit.raw, at);
    if (reference.size === 0) return { z, raw, margin: null, rank: null };
    const strongest: tf.Tensor[] = [];
    const stronger: tf.Tensor[] = [];
    for (const { group, indices } of reference.parts) {
      const all = scoreSequence(this.groupZ(weights, run, group), at); // [batch, unit]
      const absent = new Float32Array(all.shape[1]!).fill(-1e9);
      for (const index of indices) absent[index] = 0;
      const rivals = tf.add(all, tf.tensor1d(absent));
      strongest.push(tf.max(rivals, 1));
      stronger.push(tf.sum(tf.cast(tf.greater(rivals, tf.expandDims(z, 1)), 'int32'), 1));
    }
    const rival = strongest.reduce((a, b) => tf.maximum(a, b));
    return { z, raw, margin: tf.sub(z, rival), rank: tf.add(tf.addN(stronger), tf.scalar(1, 'int32')) };
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) (await program).dispose();
    this.programs.clear();
  }
}

/** Unit `index` of `[batch, pos, unit]`: `[batch, pos]`. */
function column(x: tf.Tensor, index: number): tf.Tensor {
  const [batch, pos] = x.shape as [number, number];
  return tf.reshape(tf.slice(x, [0, 0, index], [batch, pos, 1]), [batch, pos]);
}

/** `values` where `peaks` is largest past position 0, both `[batch, pos]`: `[batch]`. */
function valueAtPeak(values: tf.Tensor, peaks: tf.Tensor): tf.Tensor {
  const [batch, pos] = peaks.shape as [number, number];
  const counted = (x: tf.Tensor) => tf.slice(x, [0, 1], [batch, pos - 1]);
  if (pos === 2) return tf.reshape(counted(values), [batch]);
  const peak = tf.oneHot(tf.argMax(counted(peaks), 1) as tf.Tensor1D, pos - 1);
  return tf.sum(tf.mul(counted(values), tf.cast(peak, 'float32')), 1);
}
