/** @file The start token, read once for all rows: what stands behind it is drawn here, and no graph reads it again. */
import type { Random } from '../../core/random.js';
import { type CacheEntries, releaseCache } from '../lm/named-cache.js';
import type { DrawJob } from './draw-jobs.js';
import type { KnownRow } from './known.js';

export class Start {
  /** ln p of each token behind the start token, `[vocab]`. */
  private readonly logProbs: Float64Array;
  /** By sharpness. */
  private readonly weights = new Map<number, Float64Array>();

  /**
   * @param caches - of parents that begin with the start token
   * @param logits - behind it, `[vocab]`
   * @param banned - tokens that are never drawn
   */
  constructor(
    readonly caches: CacheEntries,
    logits: Float32Array,
    private readonly banned: readonly number[],
  ) {
    const top = logits.reduce((a, b) => Math.max(a, b));
    const total = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
    this.logProbs = Float64Array.from(logits, (logit) => logit - total);
  }

  /**
   * A job that has read the start token: its next one is drawn, where it was to be.
   *
   * @param row - token ids, `[positions]`; changed
   */
  begin(job: DrawJob, row: Int32Array, known: KnownRow | undefined, random: Random): DrawJob {
    const draws = job.from === 1 && job.end > 1;
    if (draws) row[1] = random.weighted(this.weightsAt(job.sharpness));
    if (known) known.logProbs[1] = this.logProbs[row[1]!]!;
    return { ...job, read: 1, from: draws ? 2 : job.from };
  }

  dispose(): void {
    releaseCache(this.caches);
  }

  /** What each token weighs when the likely ones are drawn so much more often, `[vocab]`. */
  private weightsAt(sharpness: number): Float64Array {
    const known = this.weights.get(sharpness);
    if (known) return known;
    const weights = this.logProbs.map((logProb) => Math.exp(logProb * sharpness));
    for (const token of this.banned) weights[token] = 0;
    this.weights.set(sharpness, weights);
    return weights;
  }
}
