/**
 * @file Sequential Monte Carlo: many sequences grow together, token by token, and those whose beginnings promise
 * little are replaced by copies of those that promise much (llamppl and genlm-control do this with a learned or
 * hand-made critic; here the exact reward of a beginning is the twist, see prefix-reward.ts).
 *
 * The target of an island is sigma(x), proportional to p(x) exp(beta reward(x)) over the sequences that may be.
 */
import type { Random } from '../../core/random.js';
import type { Decoder } from './decoder.js';
import type { Standing } from './decoder-graphs.js';
import { effectiveSampleSize, logMeanExp, systematicResample } from './log-weights.js';
import type { PrefixReward } from './prefix-reward.js';
import { emptySequences, idsAt, idsOf, type Sequences, takeRows } from './sequences.js';

/** Below this share of a full effective sample size an island is resampled. */
export const RESAMPLE_BELOW = 0.5;

export interface SmcOptions {
  readonly decoder: Decoder;
  readonly reward: PrefixReward;
  /** One an island, per sigma; the decoder's batch is shared evenly between them. */
  readonly betas: readonly number[];
  readonly random: Random;
  /** Sequences that count at all (those that decoding and encoding leave alone); default: every one. */
  readonly isText?: (ids: Int32Array) => boolean;
}

/** Particles of one beta: rows `from` to `end - 1`. */
export interface Island {
  readonly beta: number;
  readonly from: number;
  readonly end: number;
  /** ln of the estimate of the sum of p(x) exp(beta reward(x)); its exponential is unbiased. */
  readonly logZ: number;
  readonly effectiveSampleSize: number;
  readonly resamplings: number;
}

export interface Particles {
  readonly sequences: Sequences;
  /** Sigmas, `[rows]`. */
  readonly rewards: Float64Array;
  /** Within an island the mean of exp(log weight) estimates Z; minus infinity for what is no text; `[rows]`. */
  readonly logWeights: Float64Array;
  readonly islands: readonly Island[];
  /** All tokens of every row read; the caller releases it. */
  readonly standing: Standing;
}

/** Particles grow token by token, weighted by their prefix reward, resampled where few of them carry the weight. */
export async function sequentialMonteCarlo(options: SmcOptions): Promise<Particles> {
  const { decoder, reward, betas, random, isText = () => true } = options;
  const { batch, positions, probe } = decoder.options;
  const size = Math.floor(batch / betas.length);
  const logWeights = new Float64Array(batch);
  const resamplings = betas.map(() => 0);

  let sequences = emptySequences(batch, positions, decoder.tracked, probe.options.subject.start);
  let rewards = new Float64Array(batch);
  let promises = new Float64Array(batch);
  let standing = (await decoder.read(null, idsAt(sequences, 0), 0)).after;
  for (let position = 1; position < positions; position++) {
    standing = await decoder.extend(standing, sequences, position, random.uniforms(batch));
    for (let row = 0; row < batch; row++) {
      const at = row * positions + position;
      rewards[row] = reward.of(sequences, row, position);
      // A beginning counts by its share of the text: what is strong early is often not what is strong at last.
      const promise = (position / (positions - 1)) * rewards[row]!;
      logWeights[row]! += sequences.logProbs[at]! - sequences.logDraws[at]!;
      logWeights[row]! += betas[islandOf(row, batch, betas.length)]! * (promise - promises[row]!);
      promises[row] = promise;
    }
    if (position === positions - 1) break;
    const from = resampled(logWeights, size, betas.length, resamplings, random);
    if (from === null) continue;
    const taken = await decoder.take(standing, from);
    decoder.release(standing);
    standing = taken;
    sequences = takeRows(sequences, from);
    rewards = Float64Array.from(from, (row) => rewards[row]!);
    promises = Float64Array.from(from, (row) => promises[row]!);
  }
  for (let row = 0; row < batch; row++)
    if (!isText(idsOf(sequences, row))) logWeights[row] = Number.NEGATIVE_INFINITY;
  const islands = betas.map((beta, i): Island => {
    const [from, end] = islandRows(i, size, betas.length, batch);
    const own = logWeights.subarray(from, end);
    return {
      beta,
      from,
      end,
      logZ: logMeanExp(own),
      effectiveSampleSize: effectiveSampleSize(own),
      resamplings: resamplings[i]!,
    };
  });
  return { sequences, rewards, logWeights, islands, standing };
}

/** The island that a row belongs to. */
export function islandOf(row: number, batch: number, islands: number): number {
  return Math.min(islands - 1, Math.floor(row / Math.floor(batch / islands)));
}

/** Rows of an island; the last one takes what does not divide. */
function islandRows(island: number, size: number, islands: number, batch: number): [number, number] {
  return [island * size, island === islands - 1 ? batch : (island + 1) * size];
}

/**
 * Resamples the islands that need it, their weights evened out in place.
 *
 * @returns which row each row is now, or null when nothing changed
 */
function resampled(
  logWeights: Float64Array,
  size: number,
  islands: number,
  resamplings: number[],
  random: Random,
): Int32Array | null {
  const from = Int32Array.from(logWeights.keys());
  let changed = false;
  for (let island = 0; island < islands; island++) {
    const [start, end] = islandRows(island, size, islands, logWeights.length);
    const own = logWeights.subarray(start, end);
    if (effectiveSampleSize(own) >= RESAMPLE_BELOW * own.length) continue;
    changed = true;
    resamplings[island]!++;
    from.set(
      systematicResample(own, random).map((row) => start + row),
      start,
    );
    own.fill(logMeanExp(own));
  }
  return changed ? from : null;
}
