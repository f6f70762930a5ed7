/** @file The distribution that samplers are to reproduce, by enumeration. */
import type { Probe } from '../../src/text/probe.js';
import { logSumExp } from '../../src/text/sampling/log-weights.js';

/** Every sequence that may be drawn. */
export interface Enumerated {
  readonly positions: number;
  /** `[count, positions]` */
  readonly ids: Int32Array;
  /** ln p, nats; `[count]`. */
  readonly logProbs: Float64Array;
  /** Sigmas, `[count]`. */
  readonly rewards: Float64Array;
}

/** All sequences of `length` of the given tokens behind `start`, scored by the probe as searches are. */
export async function enumerate(
  probe: Probe,
  start: number,
  tokens: readonly number[],
  length: number,
  batch: number,
): Promise<Enumerated> {
  const positions = length + 1;
  const count = tokens.length ** length;
  const ids = new Int32Array(count * positions);
  for (let row = 0; row < count; row++) {
    ids[row * positions] = start;
    for (let t = length, rest = row; t >= 1; t--, rest = Math.floor(rest / tokens.length))
      ids[row * positions + t] = tokens[rest % tokens.length]!;
  }
  const { crossEntropy, z } = await probe.score(ids, positions, batch);
  return {
    positions,
    ids,
    logProbs: Float64Array.from(crossEntropy, (nats) => -nats * length),
    rewards: Float64Array.from(z),
  };
}

/** sigma at one beta. */
export interface Exact {
  readonly logZ: number;
  readonly meanReward: number;
  /** The likeliest sequences, likeliest first. */
  readonly top: readonly { readonly ids: string; readonly probability: number }[];
}

export function exactTarget({ positions, ids, logProbs, rewards }: Enumerated, beta: number): Exact {
  const logTarget = logProbs.map((logProb, i) => logProb + beta * rewards[i]!);
  const logZ = logSumExp(logTarget);
  const sigma = logTarget.map((value) => Math.exp(value - logZ));
  const order = Array.from(sigma.keys()).sort((a, b) => sigma[b]! - sigma[a]!);
  return {
    logZ,
    meanReward: sigma.reduce((sum, p, i) => sum + p * rewards[i]!, 0),
    top: order.slice(0, 3).map((i) => ({
      ids: ids.subarray(i * positions, (i + 1) * positions).join(),
      probability: sigma[i]!,
    })),
  };
}
