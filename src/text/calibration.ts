/**
 * @file What is usual for a unit: mean and standard deviation of its measure over calibration text, past
 * position 0, and the mean output of each head. z is counted from there.
 */
import { compile, type EngineName } from '../engine/compile.js';
import * as tf from '../engine/tfjs.js';
import type { WeightSource } from '../engine/weights.js';
import { type CalibrationStore, memoryStore } from './calibration-store.js';
import { groupKey, groupSize, measure, needsCentre, type UnitGroup } from './measures.js';
import { padRows } from './prior.js';
import type { TransformerSpec } from './spec.js';
import { forward } from './transformer.js';

/** Statistics of the units of a group. */
export interface GroupStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** Largest value seen. */
  readonly max: Float32Array;
  /** Mean of each head's z, `[head * dHead]`, for groups that are centred on it. */
  readonly centre?: Float32Array;
}

/** Sequences to count over. */
export interface CalibrationText {
  /** `[count, positions]`, BOS in front. */
  readonly ids: Int32Array;
  readonly positions: number;
  readonly source: 'prior' | 'corpus';
  /** Says which text this is: equal for equal text. */
  readonly key: string;
}

const BATCH = 64;

/** Statistics on demand, each group once; kept in a store so that the next process need not count again. */
export class Calibration {
  private readonly known = new Map<string, Promise<GroupStatistics>>();
  /** Whether everything so far came from the store. */
  cached = true;

  constructor(
    private readonly spec: TransformerSpec,
    private readonly weights: WeightSource,
    readonly text: CalibrationText,
    private readonly engine: EngineName = 'onnx',
    private readonly store: CalibrationStore = memoryStore(),
  ) {}

  /** Positions counted. */
  get tokens(): number {
    const { ids, positions } = this.text;
    return (ids.length / positions) * (positions - 1);
  }

  statistics(group: UnitGroup): Promise<GroupStatistics> {
    const key = groupKey(group);
    const found = this.known.get(key) ?? this.fromStoreOrText(key, group);
    this.known.set(key, found);
    return found;
  }

  private async fromStoreOrText(key: string, group: UnitGroup): Promise<GroupStatistics> {
    const storeKey = `${this.text.key} ${key}`;
    const stored = this.store.load(storeKey);
    if (stored) return stored;
    this.cached = false;
    const counted = await this.count(group);
    this.store.save(storeKey, counted);
    return counted;
  }

  private async count(group: UnitGroup): Promise<GroupStatistics> {
    const centre = needsCentre(group) ? (await this.moments(headOutputs(this.spec, group))).mean : undefined;
    const size = groupSize(group, this.spec);
    const statistics = await this.moments({
      size,
      values: (ids, weights) =>
        measure(this.spec, weights, forward(this.spec, weights, { ids }), group, centre),
    });
    return centre ? { ...statistics, centre } : statistics;
  }

  /** Mean, deviation and maximum over all positions but the first of every sequence. */
  private async moments({ size, values }: Counted): Promise<GroupStatistics> {
    const { ids, positions } = this.text;
    const count = ids.length / positions;
    const batch = Math.min(BATCH, count);
    const program = await compile(
      (inputs, weights) => {
        const all = values(inputs.ids!, weights); // [batch, pos, unit]
        const counted = tf.slice(all, [0, 1, 0], [batch, positions - 1, size]);
        const mean = tf.mean(counted, 1, true);
        // By sequence: a filled-up batch then counts its real rows only.
        return {
          mean: tf.squeeze(mean, [1]),
          spread: tf.sum(tf.square(tf.sub(counted, mean)), 1),
          max: tf.max(counted, 1),
        };
      },
      {
        inputs: { ids: { shape: [batch, positions], dtype: 'int32' } },
        weights: this.weights,
        engine: this.engine,
      },
    );
    const total = new RunningMoments(size);
    for (let start = 0; start < count; start += batch) {
      const rows = Math.min(batch, count - start);
      const part = padRows(ids.subarray(start * positions, (start + rows) * positions), batch, positions);
      const { mean, spread, max } = await program.run({ ids: part });
      for (let row = 0; row < rows; row++) {
        const of = (x: ArrayLike<number>) =>
          Array.prototype.slice.call(x, row * size, (row + 1) * size) as number[];
        total.add(positions - 1, of(mean!), of(spread!), of(max!));
      }
    }
    program.dispose();
    return total.result();
  }
}

interface Counted {
  readonly size: number;
  /** `[batch, pos, unit]` */
  readonly values: (ids: tf.Tensor, weights: (name: string) => tf.Tensor) => tf.Tensor;
}

/** Each entry of each head's z as a unit. */
function headOutputs(spec: TransformerSpec, group: UnitGroup): Counted {
  const { layer } = group as Extract<UnitGroup, { layer: number }>;
  const size = spec.heads * spec.dHead;
  return {
    size,
    values: (ids, weights) => {
      const z = forward(spec, weights, { ids }).at(`blocks.${layer}.attn.hook_z`);
      return tf.reshape(z, [z.shape[0]!, z.shape[1]!, size]);
    },
  };
}

/** Combines moments of parts (Chan, Golub & LeVeque 1979), in double precision. */
class RunningMoments {
  private count = 0;
  private readonly mean: Float64Array;
  private readonly spread: Float64Array;
  private readonly max: Float32Array;

  constructor(size: number) {
    this.mean = new Float64Array(size);
    this.spread = new Float64Array(size);
    this.max = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
  }

  add(count: number, mean: readonly number[], spread: readonly number[], max: readonly number[]): void {
    const total = this.count + count;
    for (let i = 0; i < this.mean.length; i++) {
      const difference = mean[i]! - this.mean[i]!;
      this.mean[i]! += (difference * count) / total;
      this.spread[i]! += spread[i]! + (difference * difference * this.count * count) / total;
      this.max[i] = Math.max(this.max[i]!, max[i]!);
    }
    this.count = total;
  }

  result(): GroupStatistics {
    return {
      mean: Float32Array.from(this.mean),
      // A unit that never moves (a dead neuron) has no scale of its own; any change counts in raw units.
      deviation: Float32Array.from(this.spread, (spread) => Math.sqrt(spread / this.count) || 1),
      max: this.max,
    };
  }
}
