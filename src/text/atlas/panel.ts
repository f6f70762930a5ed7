/**
 * @file All units of an atlas, read in one pass: the pass that says how probable a text is has computed them anyway. Of
 * each text a unit keeps its z and where it peaks; margins and ranks follow from the z of all (`panel-scores.ts`).
 */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, type CompileOptions, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import { padRows } from '../lm/rows.js';
import type { TextSubject } from '../lm/subject.js';
import { forward, type Pass, sequenceLogProbs } from '../lm/transformer.js';
import type { SequenceScore } from '../names.js';
import type { Calibration } from '../readouts/calibration.js';
import type { GroupStatistics } from '../readouts/group-statistics.js';
import { groupZ } from '../readouts/group-z.js';
import { broughtBy, type PassContext, type ReadoutGroup } from '../readouts/readout.js';
import type { ReferenceClass } from '../readouts/reference.js';
import { scoreSequence } from '../readouts/sequence-score.js';
import { PanelScores } from './panel-scores.js';
import type { PanelPart, PanelUnit } from './panel-units.js';
import type { UnitSet } from './unit-pattern.js';

export interface PanelOptions {
  readonly subject: TextSubject;
  readonly sets: readonly UnitSet[];
  readonly rivalsOf: (group: ReadoutGroup) => ReferenceClass;
  readonly calibration: Calibration;
  readonly at: SequenceScore;
}

/** Numbers that the measures of a batch may have: an engine may keep all of them until the last is read. */
const MOST_VALUES = 2 ** 25;
/** Added to z of the unit itself among its rivals. */
const ABSENT = -1e9;

export class Panel {
  private readonly programs = new OnDemand<string, Compiled>();

  private constructor(
    readonly options: PanelOptions,
    readonly parts: readonly PanelPart[],
    readonly units: readonly PanelUnit[],
    /** Each group once, those of rivals too. */
    readonly groups: readonly ReadoutGroup[],
    private readonly statistics: ReadonlyMap<string, GroupStatistics>,
    readonly weights: WeightSource,
  ) {}

  static async create(options: PanelOptions): Promise<Panel> {
    const { sets, rivalsOf, calibration, subject } = options;
    let [first, offset] = [0, 0];
    const parts = sets.map((set): PanelPart => {
      const part = { ...set, first, offset, rivals: rivalsOf(set.group) };
      first += set.indices.length;
      offset += set.group.size;
      return part;
    });
    const units = parts.flatMap((part) =>
      part.indices.map((index): PanelUnit => ({ name: part.group.unit(index).name, part, index })),
    );
    const groups = panelGroups(parts);
    const statistics = new Map<string, GroupStatistics>();
    const usual = groups.flatMap(({ effect }) => effect?.usual ?? []);
    for (const group of [...groups, ...usual]) statistics.set(group.key, await calibration.statistics(group));
    const weights = extendWeights(subject.weights, broughtBy(groups));
    return new Panel(options, parts, units, groups, statistics, weights);
  }

  /** How programs that read the units are compiled. */
  get compiling(): Pick<CompileOptions, 'weights' | 'engine'> {
    return { weights: this.weights, engine: this.options.subject.engine };
  }

  /** Columns of `own`. */
  get columns(): number {
    return this.parts.reduce((sum, { group }) => sum + group.size, 0);
  }

  /** Sequences that memory allows in one call, at most `wanted`. */
  batchOf(wanted: number, positions: number): number {
    const values = positions * this.groups.reduce((sum, { size }) => sum + size, 0);
    return Math.max(1, Math.min(wanted, Math.floor(MOST_VALUES / values)));
  }

  statisticsOf(group: ReadoutGroup): GroupStatistics {
    return this.statistics.get(group.key)!;
  }

  /** What the units of a group do on average, of units with an effect. */
  usualOf(group: ReadoutGroup): GroupStatistics {
    return this.statisticsOf(group.effect!.usual);
  }

  /**
   * Scores sequences for all units, a call at a time.
   *
   * @param ids - `[count, positions]`, BOS in front
   * @param fluent - whether their cross entropy is wanted too; else it is NaN
   */
  async *score(
    ids: Int32Array,
    positions: number,
    wanted: number,
    fluent = true,
  ): AsyncGenerator<PanelScores, void, void> {
    const batch = this.batchOf(wanted, positions);
    const program = await this.programs.get(`${batch} ${positions} ${fluent}`, () =>
      this.compileScores(batch, positions, fluent),
    );
    const count = ids.length / positions;
    for (let start = 0; start < count; start += batch) {
      const rows = Math.min(batch, count - start);
      const part = ids.subarray(start * positions, (start + rows) * positions);
      yield new PanelScores(this, rows, await program.run({ ids: padRows(part, batch, positions) }));
    }
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }

  // -- traced ------------------------------------------------------------------------------------------------

  context(weights: WeightLookup, pass: Pass): PassContext {
    return { spec: this.options.subject.spec, weights, pass };
  }

  /** z of all units of a group at every position, `[batch, pos, unit]`. */
  groupZ(context: PassContext, group: ReadoutGroup): tf.Tensor {
    return groupZ(context, group, this.statisticsOf(group));
  }

  /**
   * z of one unit a sequence, less `gamma` times its softmax-weighted rivals. Differentiable.
   *
   * @param own - 1 at each sequence's unit, else 0; `[batch, columns]`
   * @param gamma - `[batch]`
   * @returns `[batch]`
   */
  chosenZ(weights: WeightLookup, pass: Pass, own: tf.Tensor, gamma: tf.Tensor): tf.Tensor {
    const context = this.context(weights, pass);
    const batch = own.shape[0]!;
    const scored = new Map(
      this.groups.map((group) => [
        group.key,
        scoreSequence(this.groupZ(context, group), this.options.at), // [batch, unit]
      ]),
    );
    const ownIn = ({ offset, group }: PanelPart) => tf.slice(own, [0, offset], [batch, group.size]);
    return this.parts
      .map((part) => {
        const chosen = ownIn(part);
        const z = tf.sum(tf.mul(chosen, scored.get(part.group.key)!), 1);
        const rivals = part.rivals.parts.map(({ group, sign, indices }) => {
          const all = scored.get(group.key)!;
          const hushed = group.key === part.group.key ? tf.add(all, tf.mul(chosen, ABSENT)) : all;
          const some = indices.length === group.size ? hushed : tf.gather(hushed, [...indices], 1);
          return sign < 0 ? tf.neg(some) : some;
        });
        if (rivals.length === 0) return z;
        const every = tf.concat(rivals, 1);
        const soft = tf.sum(tf.mul(tf.softmax(every), every), 1);
        return tf.sub(z, tf.mul(tf.mul(gamma, tf.sum(chosen, 1)), soft));
      })
      .reduce((sum, one) => tf.add(sum, one));
  }

  private compileScores(batch: number, positions: number, fluent: boolean): Promise<Compiled> {
    const { subject, at } = this.options;
    const { spec } = subject;
    const own = new Set(this.parts.map(({ group }) => group.key));
    return compile(
      (inputs, lookup) => {
        const pass = forward(spec, lookup, { ids: inputs.ids! });
        const context = this.context(lookup, pass);
        const outputs: Record<string, tf.Tensor> = {};
        if (fluent)
          outputs.crossEntropy = tf.neg(tf.mean(sequenceLogProbs(spec, lookup, pass, inputs.ids!), 1));
        for (const [i, group] of this.groups.entries()) {
          const z = this.groupZ(context, group);
          outputs[`z ${i}`] = scoreSequence(z, at);
          if (own.has(group.key) && at !== 'last') outputs[`peak ${i}`] = peaks(z);
        }
        return outputs;
      },
      { ...this.compiling, inputs: { ids: { shape: [batch, positions], dtype: 'int32' } } },
    );
  }
}

/** Where `[batch, pos, unit]` is largest past position 0: `[batch, unit]`. */
function peaks(z: tf.Tensor): tf.Tensor {
  const [batch, pos, units] = z.shape as [number, number, number];
  const counted = tf.slice(z, [0, 1, 0], [batch, pos - 1, units]);
  return tf.add(tf.argMax(counted, 1), tf.scalar(1, 'int32'));
}

/** Those of the units and of their rivals, each once; by depth, so that each layer's are read while it is in memory. */
function panelGroups(parts: readonly PanelPart[]): ReadoutGroup[] {
  const all = parts.flatMap(({ group, rivals }) => [group, ...rivals.parts.map((part) => part.group)]);
  return [...new Map(all.map((group) => [group.key, group])).values()].sort((a, b) => a.depth - b.depth);
}
