/**
 * @file What is usual for a unit: mean and standard deviation of its measure over calibration text, past
 * position 0, and the mean output of each head. z is counted from there.
 */
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { EventBody } from '../../runs/events.js';
import { padRows } from '../lm/rows.js';
import type { Subject } from '../lm/subject.js';
import { forward } from '../lm/transformer.js';
import { type CalibrationStore, memoryStore } from './calibration-store.js';
import type { GroupStatistics } from './group-statistics.js';
import type { Objective } from './objective.js';
import type { Fit, PassContext, ReadoutGroup } from './readout.js';
import type { ShippedStatistics } from './unit-statistics.js';

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
/** Sequences over which it is looked whether a group fits the model. */
const FIT_SEQUENCES = 8;

export interface CalibrationOptions {
  readonly subject: Subject;
  /** The text to count over, asked for when a group is not shipped and not in the store. */
  readonly text: () => Promise<CalibrationText>;
  /** Statistics that came with the model. */
  readonly shipped?: ShippedStatistics | undefined;
  readonly store?: CalibrationStore;
  /** Given, counting stops between two batches and throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a group's statistics come from. */
export interface CalibrationSource {
  readonly source: 'model' | 'prior' | 'corpus';
  /** Positions counted. */
  readonly tokens: number;
  /** True when nothing had to be counted. */
  readonly cached: boolean;
}

type Calibrated = Extract<EventBody, { kind: 'calibrated' }>;
type Known = { readonly statistics: GroupStatistics; readonly from: CalibrationSource };

/** Statistics on demand, each group once; kept in a store so that the next process need not count again. */
export class Calibration {
  private readonly known = new Map<string, Promise<Known>>();
  private readonly store: CalibrationStore;
  private readonly fitted = new Set<string>();
  private readonly misfits: string[] = [];

  constructor(private readonly options: CalibrationOptions) {
    this.store = options.store ?? memoryStore();
  }

  async statistics(group: ReadoutGroup): Promise<GroupStatistics> {
    return (await this.find(group)).statistics;
  }

  async sourceOf(group: ReadoutGroup): Promise<CalibrationSource> {
    return (await this.find(group)).from;
  }

  /** What went wrong with the store, and what groups do not fit the model, since the last call; for the log of the run. */
  takeWarnings(): EventBody[] {
    const damaged = this.store
      .takeDamaged()
      .map((path) => `the calibration file ${path} is damaged: what it held is counted anew`);
    const messages = [...damaged, ...this.misfits.splice(0)];
    return messages.map((message) => ({ kind: 'warning', message }));
  }

  /** What is reported of an objective: mean and deviation of each of its units, and where they come from. */
  async *report({ terms }: Objective): AsyncGenerator<Calibrated, void, void> {
    for (const { readout } of terms) {
      const { name, group, index } = readout;
      const { statistics, from } = await this.find(group);
      const [mean, deviation] = [statistics.mean[index]!, statistics.deviation[index]!];
      yield { kind: 'calibrated', unit: name, mean, standard_deviation: deviation, ...from };
    }
  }

  private find(group: ReadoutGroup): Promise<Known> {
    const { key } = group;
    const found = this.known.get(key) ?? this.shippedStoredOrCounted(group, key);
    this.known.set(key, found);
    return found;
  }

  private async shippedStoredOrCounted(group: ReadoutGroup, key: string): Promise<Known> {
    const { shipped } = this.options;
    const own = shipped?.load(group);
    if (own)
      return { statistics: own, from: { source: 'model', tokens: shipped!.text.tokens, cached: true } };
    const text = await this.options.text();
    const tokens = (text.ids.length / text.positions) * (text.positions - 1);
    const storeKey = `${text.key} ${key}`;
    const stored = this.store.load(storeKey);
    if (stored) return { statistics: stored, from: { source: text.source, tokens, cached: true } };
    if (group.fit) await this.checkFit(group.fit, text);
    const counted = await this.count(group, text);
    this.store.save(storeKey, counted);
    return { statistics: counted, from: { source: text.source, tokens, cached: false } };
  }

  private async count(group: ReadoutGroup, text: CalibrationText): Promise<GroupStatistics> {
    const { centre: centred } = group;
    const centre =
      centred &&
      (await this.moments({ size: centred.size, values: ({ pass }) => centred.read(pass) }, text, [])).mean;
    const counted = { size: group.size, values: (context: PassContext) => group.read(context, centre) };
    const statistics = await this.moments(counted, text, group.weights ? [group.weights] : []);
    return centre ? { ...statistics, centre } : statistics;
  }

  /** A few dozen tokens tell. */
  private async checkFit(fit: Fit, text: CalibrationText): Promise<void> {
    if (this.fitted.has(fit.key)) return;
    this.fitted.add(fit.key);
    const ids = text.ids.subarray(0, FIT_SEQUENCES * text.positions);
    const { mean } = await this.moments(fit, { ...text, ids }, [fit.weights]);
    const complaint = fit.complaint(mean);
    if (complaint !== null) this.misfits.push(complaint);
  }

  /** Mean, deviation and maximum over all positions but the first of every sequence. */
  private async moments(
    { size, values }: Counted,
    { ids, positions }: CalibrationText,
    others: readonly WeightSource[],
  ): Promise<GroupStatistics> {
    const { spec, weights, engine } = this.options.subject;
    const count = ids.length / positions;
    const batch = Math.min(BATCH, count);
    const program = await compile(
      (inputs, lookup) => {
        const pass = forward(spec, lookup, { ids: inputs.ids! });
        const all = values({ spec, weights: lookup, pass }); // [batch, pos, unit]
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
        weights: extendWeights(weights, others),
        engine,
      },
    );
    const total = new RunningMoments(size);
    for (let start = 0; start < count; start += batch) {
      this.options.signal?.throwIfAborted();
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
  /** `[batch, pos, size]` */
  readonly values: (context: PassContext) => tf.Tensor;
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
