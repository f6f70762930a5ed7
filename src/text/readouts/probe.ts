/**
 * @file Scoring many sequences for one unit: how probable, how strong, how selective. The inner loop of every
 * search is one compiled graph, and only a few numbers a sequence come back.
 */

import { OnDemand } from '../../core/on-demand.js';
import {
  type Compiled,
  type CompileOptions,
  compile,
  type Engine,
  type Precision,
} from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import { tailOf } from '../lm/spec.js';
import type { Subject } from '../lm/subject.js';
import { forward, type Pass, sequenceLogProbs } from '../lm/transformer.js';
import type { SequenceScore } from '../names.js';
import type { Calibration } from './calibration.js';
import type { GroupStatistics } from './group-statistics.js';
import { groupZ } from './group-z.js';
import { soleReadout, type TextObjective } from './objective.js';
import { column, peakPosition, valueAtPeak } from './peak.js';
import { broughtBy, type PassContext, type Readout, type ReadoutGroup } from './readout.js';
import type { ReferenceClass, ReferencePart } from './reference.js';
import { runInBatches } from './run-in-batches.js';
import { type Scores, toScores } from './scores.js';
import { scoreSequence } from './sequence-score.js';

export interface ProbeOptions {
  readonly subject: Subject;
  readonly objective: TextObjective;
  /** Rivals that a search may work against. */
  readonly reference: ReferenceClass;
  /** Rivals that are only observed. They show whether selectivity holds beyond the rivals of the search. */
  readonly heldOut?: ReferenceClass;
  readonly calibration: Calibration;
  readonly at: SequenceScore;
  /** Precision of `score`; default: float32. */
  readonly precision?: Precision;
}

/** Rivals over sequences as tensors, `[batch]` each: their strongest, how many beat the unit, their soft maximum. */
export interface RivalScores {
  readonly strongest: tf.Tensor;
  readonly above: tf.Tensor;
  readonly soft: tf.Tensor;
}

/** Added to z of units of a group that are no rivals: far below any, and yet 0 times it is 0. */
const ABSENT = -1e9;

/** An objective with everything needed to score it: statistics of its units and of its rivals. */
export class Probe {
  private readonly programs = new OnDemand<string, Compiled>();

  private constructor(
    readonly options: ProbeOptions,
    private readonly statistics: ReadonlyMap<string, GroupStatistics>,
    /** The subject's, and those that groups bring: what functions that measure are compiled with. */
    readonly weights: WeightSource,
  ) {}

  static async create(options: ProbeOptions): Promise<Probe> {
    const groups = groupsRead(options);
    const statistics = new Map<string, GroupStatistics>();
    for (const group of groups) statistics.set(group.key, await options.calibration.statistics(group));
    return new Probe(options, statistics, extendWeights(options.subject.weights, broughtBy(groups)));
  }

  /** The same objective and rivals, scored in another precision. */
  inPrecision(precision: Precision): Probe {
    return new Probe({ ...this.options, precision }, this.statistics, this.weights);
  }

  /** The same, computed by another engine. */
  on(engine: Engine): Probe {
    const { subject } = this.options;
    return new Probe({ ...this.options, subject: { ...subject, engine } }, this.statistics, this.weights);
  }

  /** The arrays that its groups bring beside the subject's. */
  get brought(): WeightSource[] {
    return broughtBy(groupsRead(this.options));
  }

  /** How many layers the objective and all rivals need. */
  get depth(): number {
    return Math.max(...groupsRead(this.options).map(({ depth }) => depth));
  }

  /** How many layers the objective needs. */
  get layers(): number {
    return Math.max(...this.options.objective.terms.map(({ readout }) => readout.group.depth));
  }

  /**
   * @param ids - `[count, positions]`, BOS in front
   * @param batch - sequences computed together; a last batch that is smaller is filled up, so that the result does
   *   not depend on how sequences are grouped
   */
  async score(ids: Int32Array, positions: number, batch: number): Promise<Scores> {
    return toScores(await runInBatches(await this.program(batch, positions), ids, positions, batch));
  }

  private program(batch: number, positions: number): Promise<Compiled> {
    const key = `${batch} ${positions}`;
    const { spec } = this.options.subject;
    return this.programs.get(key, () =>
      compile(
        (inputs, lookup) => {
          const pass = forward(spec, lookup, { ids: inputs.ids! });
          const crossEntropy = tf.neg(tf.mean(sequenceLogProbs(spec, lookup, pass, inputs.ids!), 1));
          return { crossEntropy, ...this.unitScores(lookup, pass) };
        },
        { ...this.compiling, inputs: { ids: { shape: [batch, positions], dtype: 'int32' } } },
      ),
    );
  }

  /** z of every unit of a group at every position: `[batch, pos, unit]`. */
  groupZ(weights: WeightLookup, pass: Pass, group: ReadoutGroup): tf.Tensor {
    return groupZ(this.context(weights, pass), group, this.statistics.get(group.key)!);
  }

  /** z of the rivals' group, or its negative. */
  rivalZ(weights: WeightLookup, pass: Pass, { group, sign }: ReferencePart): tf.Tensor {
    return weighted(this.groupZ(weights, pass, group), sign);
  }

  /**
   * z of the objective at every position, and its measure in its own unit; of a sum, whose units differ, z again.
   * `[batch, pos]`
   */
  unitAtPositions(weights: WeightLookup, pass: Pass): { raw: tf.Tensor; z: tf.Tensor } {
    const { objective } = this.options;
    const sole = soleReadout(objective);
    const raw = sole && this.rawOf(weights, pass, sole);
    const z = objective.terms
      .map(({ weight, readout: { group, index } }) =>
        weighted(column(this.groupZ(weights, pass, group), index), weight),
      )
      .reduce((sum, term) => tf.add(sum, term));
    return { raw: raw ?? z, z };
  }

  private rawOf(weights: WeightLookup, pass: Pass, { group, index }: Readout): tf.Tensor {
    const { centre } = this.statistics.get(group.key)!;
    return column((group.raw ?? group).read(this.context(weights, pass), centre), index);
  }

  private context(weights: WeightLookup, pass: Pass): PassContext {
    return { spec: this.options.subject.spec, weights, pass };
  }

  /** z of the unit over the sequence: `[batch]`. Differentiable. */
  unitZ(weights: WeightLookup, pass: Pass): tf.Tensor {
    return scoreSequence(this.unitAtPositions(weights, pass).z, this.options.at);
  }

  /**
   * z of the unit, and after it those of its rivals where they are asked for, at every position:
   * `[batch, pos, 1 + rivals]`.
   */
  trackedZ(weights: WeightLookup, pass: Pass, withRivals: boolean): tf.Tensor {
    const own = tf.expandDims(this.unitAtPositions(weights, pass).z, 2);
    if (!withRivals) return own;
    const rivals = this.options.reference.parts.map((part) =>
      tf.gather(this.rivalZ(weights, pass, part), tf.tensor1d([...part.indices], 'int32'), 2),
    );
    return tf.concat([own, ...rivals], 2);
  }

  /** z of the unit and, where it has rivals, of the strongest of them, at every position: `[batch, pos]` each. */
  standingAtPositions(weights: WeightLookup, run: Pass): { z: tf.Tensor; strongest?: tf.Tensor } {
    const all = this.trackedZ(weights, run, true);
    const [batch, pos, tracked] = all.shape as [number, number, number];
    const rivals = () => tf.slice(all, [0, 0, 1], [batch, pos, tracked - 1]);
    return { z: column(all, 0), ...(tracked > 1 && { strongest: tf.max(rivals(), 2) }) };
  }

  /**
   * z less `gamma` times the softmax-weighted rivals: the objective J without its fluency term (docs/search.md). Differentiable.
   *
   * @param gamma - `[batch]`
   * @returns `[batch]`
   */
  selectiveZ(weights: WeightLookup, pass: Pass, gamma: tf.Tensor): tf.Tensor {
    const z = this.unitZ(weights, pass);
    const rivals = this.rivalScores(weights, pass, this.options.reference);
    return rivals ? tf.sub(z, tf.mul(gamma, rivals.soft)) : z;
  }

  /** What `Scores` has of the unit and its rivals, as columns. */
  unitScores(weights: WeightLookup, pass: Pass): Record<string, tf.Tensor> {
    const { at, reference, heldOut, subject } = this.options;
    const tail = tailOf(subject.spec).length;
    const unit = this.unitAtPositions(weights, pass);
    const [batch, pos] = unit.z.shape as [number, number];
    const scores: Record<string, tf.Tensor> = {
      z: scoreSequence(unit.z, at),
      raw: at === 'max' ? valueAtPeak(unit.raw, unit.z) : scoreSequence(unit.raw, at),
      // Of a text whose last position is behind it, its own last.
      peak: at === 'last' ? tf.fill([batch], pos - 1 - tail, 'int32') : peakPosition(unit.z),
    };
    for (const [kind, rivals] of Object.entries({ rival: reference, heldOut })) {
      const { strongest, above, soft } = (rivals && this.rivalScores(weights, pass, rivals)) ?? {};
      if (strongest && above && soft)
        Object.assign(scores, {
          [`${kind}Strongest`]: strongest,
          [`${kind}Above`]: above,
          [`${kind}Soft`]: soft,
        });
    }
    return scores;
  }

  /** The rivals of a class beside the unit; null for an empty class. */
  rivalScores(weights: WeightLookup, pass: Pass, { parts }: ReferenceClass): RivalScores | null {
    if (parts.length === 0) return null;
    const own = tf.expandDims(this.unitZ(weights, pass), 1);
    const every = parts.map((part) => {
      const all = scoreSequence(this.rivalZ(weights, pass, part), this.options.at); // [batch, unit]
      const absent = new Float32Array(all.shape[1]!).fill(ABSENT);
      for (const index of part.indices) absent[index] = 0;
      return tf.add(all, tf.tensor1d(absent));
    });
    const rivals = every.length === 1 ? every[0]! : tf.concat(every, 1);
    return {
      strongest: tf.max(rivals, 1),
      above: tf.sum(tf.cast(tf.greater(rivals, own), 'int32'), 1),
      soft: tf.sum(tf.mul(tf.softmax(rivals), rivals), 1),
    };
  }

  /** How programs that score are compiled. */
  get compiling(): Pick<CompileOptions, 'weights' | 'engine' | 'precision'> {
    const { subject, precision } = this.options;
    return { weights: this.weights, engine: subject.engine, ...(precision && { precision }) };
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }
}

function groupsRead({ objective, reference, heldOut }: ProbeOptions): ReadoutGroup[] {
  const rivals = [...reference.parts, ...(heldOut?.parts ?? [])];
  return [...objective.terms.map(({ readout }) => readout.group), ...rivals.map(({ group }) => group)];
}

/** Times a factor; no step of the graph for 1. */
const weighted = (x: tf.Tensor, factor: number): tf.Tensor => (factor === 1 ? x : tf.mul(x, factor));
