/** @file The distribution that samplers are to reproduce, by enumeration. */
import { compile } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { forward, step } from '../../src/text/lm/transformer.js';
import type { Probe } from '../../src/text/readouts/probe.js';
import { logSumExp } from '../../src/text/sampling/log-weights.js';
import { padCache } from './pad-cache.js';

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

/**
 * As `enumerate` of two tokens, for a vocabulary of hundreds: every first token is read once, and the second ones
 * are read behind it up to the unit's layer.
 */
export async function enumeratePairs(
  probe: Probe,
  start: number,
  tokens: readonly number[],
): Promise<Enumerated> {
  const { spec, weights, engine } = probe.options.subject;
  const count = tokens.length;
  const program = await compile(
    (inputs, lookup) => {
      const first = forward(spec, lookup, { ids: inputs.ids! }); // [1, 2]
      const cache = padCache(first.cache(), 3);
      const repeated = (x: tf.Tensor) => tf.tile(x, [count, 1, 1, 1]);
      const second = step(spec, lookup, {
        ids: tf.tensor1d([...tokens], 'int32'),
        positions: tf.fill([count], 2, 'int32'),
        cache: { keys: cache.keys.map(repeated), values: cache.values.map(repeated) },
      });
      return {
        logProbs: tf.logSoftmax(first.at('logits')), // [1, 2, vocab]
        firstZ: probe.unitZ(lookup, first),
        secondZ: tf.reshape(probe.trackedZ(lookup, second, false), [count]),
      };
    },
    { inputs: { ids: { shape: [1, 2], dtype: 'int32' } }, weights, engine },
  );
  const ids = new Int32Array(count * count * 3);
  const logProbs = new Float64Array(count * count);
  const rewards = new Float64Array(count * count);
  for (const [i, token] of tokens.entries()) {
    const result = await program.run({ ids: [start, token] });
    for (const [j, next] of tokens.entries()) {
      const row = i * count + j;
      ids.set([start, token, next], row * 3);
      logProbs[row] = result.logProbs![token]! + result.logProbs![spec.vocab + next]!;
      rewards[row] = Math.max(result.firstZ![0]!, result.secondZ![j]!);
    }
  }
  program.dispose();
  return { positions: 3, ids, logProbs, rewards };
}

/** sigma at one beta. */
export interface Exact {
  readonly logZ: number;
  readonly meanReward: number;
  /** Probability of every sequence. */
  readonly sigma: Float64Array;
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
    sigma,
    meanReward: sigma.reduce((sum, p, i) => sum + p * rewards[i]!, 0),
    top: order.slice(0, 3).map((i) => ({
      ids: ids.subarray(i * positions, (i + 1) * positions).join(),
      probability: sigma[i]!,
    })),
  };
}
