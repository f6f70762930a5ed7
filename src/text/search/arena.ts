/**
 * @file What every search method works with: a way to score sequences, the frontier they enter, what it cost.
 *
 * A method knows nothing of budgets, events or files: it proposes sequences until it is stopped.
 */
import type { Random } from '../../engine/random.js';
import type { ScoredText } from '../../runs/events.js';
import type { TextModel } from '../model.js';
import type { Prior } from '../prior.js';
import type { Probe } from '../probe.js';
import { Frontier } from './frontier.js';
import type { Proposer } from './proposals.js';

/** A scored sequence with its ids as the model reads them. */
export interface Candidate extends ScoredText {
  /** `[positions]`, BOS in front. */
  readonly ids: Int32Array;
}

/** What was spent so far. */
export interface Cost {
  /** Sequences scored, a gradient counted as two (as in DESIGN section 8). */
  evaluations: number;
  /** Token positions times layers that were computed, backward passes counted as one more forward. */
  tokenLayers: number;
}

export interface ArenaOptions {
  readonly model: TextModel;
  /** The token at position 0. */
  readonly start: number;
  readonly probe: Probe;
  /** Draws whole sequences, `batch` together. */
  readonly prior: Prior;
  /** Draws a few tokens of sequences anew, in smaller batches. */
  readonly rewriter: Prior;
  readonly proposer: Proposer;
  readonly random: Random;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Sequences scored together. */
  readonly batch: number;
}

/** A method's turn ends at each `yield`: there it can be stopped, and progress is told. */
export type SearchMethod = (arena: Arena) => AsyncGenerator<void, void, void>;

export class Arena {
  readonly frontier = new Frontier<Candidate>();
  readonly cost: Cost = { evaluations: 0, tokenLayers: 0 };
  /** Share of the budget that is spent, set by whoever drives the method. */
  spent = 0;
  private readonly seen = new Set<string>();
  private entered: { candidate: Candidate; operator: string }[] = [];

  constructor(readonly options: ArenaOptions) {}

  get layers(): number {
    return this.options.model.spec.layers;
  }

  /**
   * Scores sequences and lets the frontier have them. Sequences that decoding and encoding would change are not
   * scored.
   *
   * @param rows - `[count, positions]`
   * @param operators - what made each row
   * @returns a candidate a row, null where it does not survive
   */
  async evaluate(rows: Int32Array, operators: readonly string[]): Promise<(Candidate | null)[]> {
    const { model, probe, positions, batch } = this.options;
    const count = rows.length / positions;
    const ids = Array.from({ length: count }, (_, row) => rows.slice(row * positions, (row + 1) * positions));
    const valid = ids.flatMap((row, i) => (model.tokenizer.roundTrips(row) ? [i] : []));
    const results: (Candidate | null)[] = Array(count).fill(null);
    if (valid.length === 0) return results;

    const flat = new Int32Array(valid.length * positions);
    for (const [slot, i] of valid.entries()) flat.set(ids[i]!, slot * positions);
    const scores = await probe.score(flat, positions, batch);
    this.cost.evaluations += valid.length;
    this.cost.tokenLayers += flat.length * this.layers;

    for (const [slot, i] of valid.entries()) {
      const z = scores.z[slot]!;
      const row = ids[i]!;
      const candidate: Candidate = {
        ids: row,
        text: model.tokenizer.decode(row),
        token_ids: Array.from(row.subarray(1)),
        cross_entropy: scores.crossEntropy[slot]!,
        raw: scores.raw[slot]!,
        z,
        margin: scores.margin?.[slot] ?? null,
        rank: scores.rank?.[slot] ?? null,
      };
      results[i] = candidate;
      if (this.frontier.add(candidate)) this.entered.push({ candidate, operator: operators[i]! });
    }
    return results;
  }

  /** True the first time a sequence is asked about. */
  isNew(row: Int32Array): boolean {
    const key = row.join();
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  /** Sequences from the prior, `[count, positions]`. */
  async samplePrior(count: number): Promise<Int32Array> {
    const { start, prior, positions, random } = this.options;
    this.cost.tokenLayers += count * (positions - 1) * this.layers;
    return prior.sample(count, start, random);
  }

  /** Counts passes of a gradient: each sequence as two evaluations. */
  countGradients(sequences: number): void {
    this.cost.evaluations += 2 * sequences;
    this.cost.tokenLayers += 2 * sequences * this.options.positions * this.layers;
  }

  /** Counts tokens that were read or drawn with a key-value cache. */
  countTokens(tokens: number): void {
    this.cost.tokenLayers += tokens * this.layers;
  }

  /** What entered the frontier since the last call. */
  takeEntered(): { candidate: Candidate; operator: string }[] {
    const entered = this.entered;
    this.entered = [];
    return entered;
  }
}
