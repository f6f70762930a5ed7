/** @file Where an atlas breeds: every text is scored for all units, and each unit keeps what is of use to it. */
import type { Random } from '../../core/random.js';
import { callBatch } from '../lm/batch-size.js';
import { splitRows, stackRows } from '../lm/rows.js';
import type { Sampler } from '../sampling/sampler.js';
import type { BreedingGround, Made } from '../search/breeding.js';
import { type Allowance, Ledger } from '../search/ledger.js';
import type { Picked } from '../search/population.js';
import type { Proposals } from '../search/proposals.js';
import type { Panel } from './panel.js';
import type { PanelProposer } from './panel-proposer.js';
import type { PanelScores } from './panel-scores.js';
import { SampleTemperature } from './sample-temperature.js';
import { AtlasEntry, type AtlasText, roomFor, UnitArchive } from './unit-archive.js';
import { UnitBandit } from './unit-bandit.js';

export interface AtlasArenaOptions {
  readonly panel: Panel;
  readonly sampler: Sampler;
  readonly proposer: PanelProposer;
  readonly random: Random;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Sequences of a turn, and those scored in one call. */
  readonly turn: number;
  readonly batch: number;
}

/** Area below which a unit's growth does not count as growth by a multiple. */
const SMALL_AREA = 1;

export class AtlasArena implements BreedingGround<AtlasEntry> {
  readonly units: readonly UnitArchive[];
  readonly ledger: Ledger;
  /** By operator: by what share its texts made the areas of units grow, summed over units. */
  readonly gains = new Map<string, number>();
  private readonly bandit: UnitBandit;
  private readonly seen = new Set<string>();
  private readonly temperature = new SampleTemperature();
  private readonly z: Float32Array;
  private readonly margin: Float32Array;

  constructor(
    readonly options: AtlasArenaOptions,
    allowed: Allowance,
  ) {
    this.ledger = new Ledger(allowed);
    const { length } = options.panel.units;
    const room = roomFor(length);
    this.units = Array.from({ length }, () => new UnitArchive(room));
    this.bandit = new UnitBandit(length);
    this.z = new Float32Array(length);
    this.margin = new Float32Array(length);
  }

  /** The geometric mean over units; a unit without texts counts as one of a hundredth. */
  get hypervolume(): number {
    const logs = this.units.map(({ hypervolume }) => Math.log(Math.max(0.01, hypervolume)));
    return Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
  }

  /** Whether there is nothing to breed from. */
  get isEmpty(): boolean {
    return this.units.every(({ hypervolume }) => hypervolume === 0);
  }

  private get layers(): number {
    return this.options.panel.options.subject.spec.layers;
  }

  // -- breeding --------------------------------------------------------------------------------------------------

  pick(count: number): Picked<AtlasEntry>[] {
    const { random } = this.options;
    const can = (unit: number) => this.units[unit]!.hypervolume > 0;
    return this.bandit
      .pick(count, can, random)
      .flatMap((unit) => this.units[unit]!.population.pick(random) ?? []);
  }

  mateOf({ unit }: AtlasEntry): AtlasEntry {
    return this.units[unit]!.population.pick(this.options.random)!.parent;
  }

  async propose(parents: readonly AtlasEntry[], gammas: readonly number[]): Promise<Proposals[]> {
    const { proposer, panel } = this.options;
    const before = proposer.tokenLayers;
    const asked = parents.map(({ ids, unit }, i) => ({ ids, unit: panel.units[unit]!, gamma: gammas[i]! }));
    const proposals = await proposer.propose(asked);
    this.ledger.spend({ evaluations: 2 * parents.length, tokenLayers: proposer.tokenLayers - before });
    return proposals;
  }

  isNew(row: Int32Array): boolean {
    const key = row.join();
    if (this.seen.has(key)) {
      this.ledger.lose(1);
      return false;
    }
    this.seen.add(key);
    return true;
  }

  /** Draws samples of the model and scores those that are new. */
  async evaluatePrior(count: number): Promise<void> {
    const { sampler, random, positions, turn } = this.options;
    const rows: Int32Array[] = [];
    // A call at a time, so that the temperature soon fits.
    for (let left = count; left > 0; left -= callBatch(turn)) {
      const part = Math.min(left, callBatch(turn));
      this.countTokens(part * (positions - 1));
      const drawn = await sampler.sample(part, random, this.temperature.value);
      for (const row of splitRows(drawn, positions)) {
        const isNew = this.isNew(row);
        this.temperature.learn(isNew);
        if (isNew) rows.push(row);
      }
    }
    if (rows.length > 0) await this.evaluate(stackRows(rows), Array(rows.length).fill('prior'));
  }

  countTokens(tokens: number): void {
    this.ledger.spend({ tokenLayers: tokens * this.layers });
  }

  // -- scoring ---------------------------------------------------------------------------------------------------

  /**
   * Scores sequences for all units and lets each have what is of use to it. Those that decoding and encoding would change
   * are not scored, nor are those that the budget does not reach.
   *
   * @param rows - `[count, positions]`
   * @param sources - what made each row
   * @param made - what each row was made from
   */
  async evaluate(rows: Int32Array, sources: readonly string[], made?: Made<AtlasEntry>): Promise<void> {
    const { positions, panel } = this.options;
    const { tokenizer } = panel.options.subject;
    const all = sources.map((source, i) => ({
      ids: rows.slice(i * positions, (i + 1) * positions),
      source,
      parent: made?.parents[i],
    }));
    const whole = all.filter(({ ids }) => tokenizer.roundTrips(ids));
    this.ledger.lose(all.length - whole.length);
    const valid = whole.slice(0, Math.max(0, this.ledger.left));
    this.ledger.spend({
      evaluations: valid.length,
      tokenLayers: valid.length * positions * this.layers,
    });
    await this.score(valid);
  }

  /** Scores again what an earlier part found, which then stands as it did; costs nothing. */
  async recall(texts: ReadonlyMap<string, readonly Int32Array[]>, evaluations: number): Promise<void> {
    for (const [source, rows] of texts) {
      await this.score(rows.map((ids) => ({ ids, source })));
      for (const row of rows) this.isNew(row);
    }
    this.gains.clear();
    this.ledger.resumeAt(evaluations);
  }

  private async score(
    valid: readonly {
      readonly ids: Int32Array;
      readonly source: string;
      readonly parent?: AtlasEntry | null | undefined;
    }[],
  ): Promise<void> {
    const { positions, panel, batch } = this.options;
    let next = 0;
    for await (const scores of panel.score(stackRows(valid.map(({ ids }) => ids)), positions, batch))
      for (let row = 0; row < scores.rows; row++) {
        const { ids, source, parent } = valid[next++]!;
        const gain = this.enter({ ids, source, crossEntropy: scores.crossEntropy(row) }, scores, row);
        this.gains.set(source, (this.gains.get(source) ?? 0) + gain);
        if (parent) this.bandit.credit(parent.unit, gain);
      }
  }

  /** @returns by what share areas of units grew, summed over units */
  private enter(text: AtlasText, scores: PanelScores, row: number): number {
    const { panel, positions } = this.options;
    const { z: all, margin: margins, units } = this;
    scores.standing(row, all, margins);
    const isNatural = text.source === 'corpus';
    const point = { cross_entropy: text.crossEntropy, z: 0, margin: 0 };
    let total = 0;
    for (const [i, archive] of units.entries()) {
      const z = all[i]!;
      // What excites a unit less than ordinary text does says nothing of it.
      if (!(z > 0)) continue;
      const margin = Number.isNaN(margins[i]!) ? null : margins[i]!;
      point.z = z;
      point.margin = margin ?? 0;
      const unit = panel.units[i]!;
      const peak = scores.peak(unit, row, positions);
      const isExample = isNatural && archive.isExample(z);
      const isOfUse = archive.couldTake(point, text.ids[peak]!);
      if (!isExample && !isOfUse) continue;
      const entry = new AtlasEntry(i, text, peak, z, margin, scores.rank(unit, row));
      if (isExample) archive.addExample(entry);
      if (!isOfUse) continue;
      const gain = archive.add(entry);
      if (gain > 0) total += gain / Math.max(SMALL_AREA, archive.population.area);
    }
    return total;
  }
}
