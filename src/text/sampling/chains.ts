/**
 * @file Markov chain Monte Carlo over texts: each chain draws some of its tokens anew from the prior and keeps the
 * result with the probability of Metropolis and Hastings, so that its states are distributed as sigma(x),
 * proportional to p(x) exp(beta reward(x)).
 *
 * Two proposals: a suffix (QUEST, Faria et al. 2024) and an infill, a few tokens in the middle with what follows
 * kept. Which positions are drawn anew is decided without looking at the states, the same for all chains, so that
 * every choice is a kernel of its own that keeps sigma, and the ratio needs no sum over choices. Chains stand on a
 * ladder of betas and exchange places on it (parallel tempering, Geyer 1991).
 */
import type { Random } from '../../core/random.js';
import type { Decoder } from './decoder.js';
import type { Standing } from './decoder-graphs.js';
import type { PrefixReward } from './prefix-reward.js';
import { copyRow, copySequences, idsAt, idsOf, type Sequences, sumOf, takeRows } from './sequences.js';

/** Which tokens to draw anew: `count` of them, the first at position `from` (at least 1). */
export interface Move {
  readonly from: number;
  readonly count: number;
}

export interface ChainsOptions {
  readonly decoder: Decoder;
  readonly reward: PrefixReward;
  readonly sequences: Sequences;
  /** All tokens of the sequences read; the chains release it. */
  readonly standing: Standing;
  /** Beta of each rung, per sigma, rising. */
  readonly ladder: readonly number[];
  /** Rung of each chain at the start, `[rows]`. */
  readonly rungs: Int32Array;
  readonly isText?: (ids: Int32Array) => boolean;
}

/** What the chains tried. */
export interface Tried {
  readonly sequences: Sequences;
  readonly rewards: Float64Array;
  /** 1 where the chain moved there, `[rows]`. */
  readonly accepted: Int32Array;
}

/** Chains on a ladder of betas, moved together. */
export class Chains {
  sequences: Sequences;
  rewards: Float64Array;
  /** `[rows]` */
  readonly rungs: Int32Array;
  private standing: Standing;

  constructor(private readonly options: ChainsOptions) {
    this.sequences = copySequences(options.sequences);
    this.rewards = options.reward.ofAll(options.sequences);
    this.rungs = options.rungs.slice();
    this.standing = options.standing;
  }

  get rows(): number {
    return this.sequences.rows;
  }

  betaOf(row: number): number {
    return this.options.ladder[this.rungs[row]!]!;
  }

  /** Every chain tries the move, and makes it or stays. */
  async move({ from, count }: Move, random: Random): Promise<Tried> {
    const { decoder, reward, isText = () => true } = this.options;
    const { rows, positions } = this.sequences;
    const { proposal, standing } = await this.propose({ from, count }, random);
    const rewards = reward.ofAll(proposal);
    const accepted = Int32Array.from({ length: rows }, (_, row) => {
      const change = (of: 'logProbs' | 'logDraws', end: number) =>
        sumOf(proposal[of], proposal, row, from, end) -
        sumOf(this.sequences[of], this.sequences, row, from, end);
      // sigma(new) q(old | new) / (sigma(old) q(new | old)); tokens before `from` cancel.
      const logRatio =
        change('logProbs', positions) -
        change('logDraws', from + count) +
        this.betaOf(row) * (rewards[row]! - this.rewards[row]!);
      return Math.log(random.uniform()) < logRatio && isText(idsOf(proposal, row)) ? 1 : 0;
    });
    const chosen = await decoder.choose(this.standing, standing, accepted);
    decoder.release(this.standing);
    decoder.release(standing);
    this.standing = chosen;
    for (let row = 0; row < rows; row++) {
      if (accepted[row] === 0) continue;
      copyRow(proposal, row, this.sequences, row);
      this.rewards[row] = rewards[row]!;
    }
    return { sequences: proposal, rewards, accepted };
  }

  /**
   * Chains on neighbouring rungs exchange them, each pair with probability
   * min(1, exp((beta_i - beta_j) (reward_j - reward_i))).
   *
   * @returns share of the pairs that did
   */
  exchange(random: Random): number {
    const { ladder } = this.options;
    let [pairs, swaps] = [0, 0];
    for (let rung = random.integer(2); rung + 1 < ladder.length; rung += 2) {
      const on = (wanted: number) =>
        Array.from(this.rungs.keys()).filter((row) => this.rungs[row] === wanted);
      const upper = random.shuffle(on(rung + 1));
      for (const [i, low] of on(rung).entries()) {
        const high = upper[i];
        if (high === undefined) break;
        pairs++;
        const logRatio = (ladder[rung + 1]! - ladder[rung]!) * (this.rewards[low]! - this.rewards[high]!);
        if (Math.log(random.uniform()) >= logRatio) continue;
        swaps++;
        this.rungs[low] = rung + 1;
        this.rungs[high] = rung;
      }
    }
    return pairs === 0 ? 0 : swaps / pairs;
  }

  /** Row `i` becomes what row `rows[i]` is; rungs stay. */
  async take(rows: Int32Array): Promise<void> {
    const taken = await this.options.decoder.take(this.standing, rows);
    this.options.decoder.release(this.standing);
    this.standing = taken;
    this.sequences = takeRows(this.sequences, rows);
    this.rewards = Float64Array.from(rows, (row) => this.rewards[row]!);
  }

  dispose(): void {
    this.options.decoder.release(this.standing);
  }

  private async propose(
    { from, count }: Move,
    random: Random,
  ): Promise<{ proposal: Sequences; standing: Standing }> {
    const { decoder } = this.options;
    const { rows, positions } = this.sequences;
    const proposal = copySequences(this.sequences);
    // The token before is read once more for the logits of the one to come.
    let standing = (await decoder.read(this.standing, idsAt(proposal, from - 1), from - 1)).after;
    for (let position = from; position < positions; position++) {
      const forced = position < from + count ? undefined : idsAt(proposal, position);
      standing = await decoder.extend(standing, proposal, position, random.uniforms(rows), forced);
    }
    return { proposal, standing };
  }
}

/**
 * A move chosen without looking at any state: a suffix from a uniform position, or an infill of 1 to `longest`
 * tokens.
 */
export function randomMove(positions: number, longest: number, random: Random): Move {
  const from = 1 + random.integer(positions - 1);
  const rest = positions - from;
  const isSuffix = random.uniform() < 0.5;
  return { from, count: isSuffix ? rest : Math.min(rest, 1 + random.integer(longest)) };
}
