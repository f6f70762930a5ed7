/**
 * @file Sampling sigma(x), proportional to p(x) exp(beta J(x)), on a ladder of betas: a low beta gives probable
 * texts, a high one strong ones, and the frontier lies between (beta = tokens / lambda of EPO's lambdas).
 *
 * A round grows texts by sequential Monte Carlo, an island a beta, and continues from them with Markov chains that
 * exchange places on the ladder, as long as those find more than growing new ones did.
 */
import { stackRows } from '../lm/rows.js';
import { Chains, randomMove } from '../sampling/chains.js';
import { Decoder } from '../sampling/decoder.js';
import { systematicResample } from '../sampling/log-weights.js';
import { PrefixReward } from '../sampling/prefix-reward.js';
import { idsOf, type Sequences, sumOf, takeRows } from '../sampling/sequences.js';
import { islandOf, type Particles, sequentialMonteCarlo } from '../sampling/smc.js';
import type { Arena, Figures, Turns } from './arena.js';

/** EPO's weights of fluency that the ladder spans, from strong texts to probable ones. */
const LAMBDAS = [0.4, 12] as const;
const RUNGS = 8;
/** Tokens of the longest infill. */
const LONGEST_INFILL = 4;
/** Moves of the chains between two decisions. */
const MOVES = 4;
/** Decisions in a row that may find nothing before new texts are grown. */
const PATIENCE = 3;
/** Sigmas that a text may lie below the frontier and still be scored for its margin. */
const NEAR = 1;

/** How far each row leans to a policy: not at all on the lowest rung, all the way on the highest. */
function sharesFor(batch: number): Float32Array {
  return Float32Array.from({ length: batch }, (_, row) => islandOf(row, batch, RUNGS) / (RUNGS - 1));
}

/** Beta of each rung, rising, for texts of so many tokens; all the same where there is one weight of fluency. */
export function ladderFor(tokens: number, lambda?: number): number[] {
  const [low, high] = lambda === undefined ? LAMBDAS : [lambda, lambda];
  return Array.from({ length: RUNGS }, (_, i) => tokens / (high * (low / high) ** (i / (RUNGS - 1))));
}

export async function* sample(arena: Arena): Turns {
  const { subject, probe, positions, random, turn, policy, gamma = 0, lambda } = arena.options;
  const decoder = await Decoder.create({
    probe,
    withRivals: gamma > 0,
    positions,
    batch: turn,
    ...(policy && { proposal: { weights: policy, shares: sharesFor(turn) } }),
  });
  const reward = new PrefixReward(probe.options.at, gamma);
  const ladder = ladderFor(positions - 1, lambda);
  const isText = (ids: Int32Array) => subject.tokenizer.roundTrips(ids);
  /** A round begins from nothing. */
  let isBetween = false;
  arena.method.saves = () => (isBetween ? {} : null);
  try {
    for (;;) {
      isBetween = false;
      const particles = await sequentialMonteCarlo({ decoder, reward, betas: ladder, random, isText });
      if (particles.logWeights.every((weight) => weight === Number.NEGATIVE_INFINITY)) {
        // No text among them, and nothing to continue from.
        arena.ledger.lose(particles.sequences.rows);
        decoder.release(particles.standing);
        isBetween = true;
        yield;
        continue;
      }
      await enter(arena, decoder, particles.sequences, particles.rewards, 'smc');
      yield figuresOf(particles);
      const chains = await chainsFrom(particles, { decoder, reward, ladder, isText }, random);
      for (let idle = 0; idle < PATIENCE; ) {
        const area = arena.population.strongest.area;
        for (let j = 0; j < MOVES; j++) {
          const tried = await chains.move(randomMove(positions, LONGEST_INFILL, random), random);
          await enter(arena, decoder, tried.sequences, tried.rewards, 'chain');
          chains.exchange(random);
        }
        idle = arena.population.strongest.area > area ? 0 : idle + 1;
        isBetween = idle === PATIENCE;
        yield;
      }
      chains.dispose();
    }
  } finally {
    decoder.dispose();
  }
}

/** By beta: ln of the estimate of Z, and the effective number of texts behind it. */
function figuresOf({ islands }: Particles): Figures {
  return Object.fromEntries(
    islands.flatMap(({ beta, logZ, effectiveSampleSize }) => [
      [`log_z at beta ${beta.toFixed(1)}`, logZ],
      [`effective_sample_size at beta ${beta.toFixed(1)}`, effectiveSampleSize],
    ]),
  );
}

/** Each island's particles, resampled to equal weight, as chains on its rung. */
async function chainsFrom(
  { sequences, logWeights, islands, standing }: Particles,
  options: Pick<ConstructorParameters<typeof Chains>[0], 'decoder' | 'reward' | 'ladder' | 'isText'>,
  random: Arena['options']['random'],
): Promise<Chains> {
  const from = new Int32Array(sequences.rows);
  const rungs = new Int32Array(sequences.rows);
  for (const [rung, island] of islands.entries()) {
    const own = systematicResample(logWeights.subarray(island.from, island.end), random);
    from.set(
      own.map((row) => island.from + row),
      island.from,
    );
    rungs.fill(rung, island.from, island.end);
  }
  const taken = await options.decoder.take(standing, from);
  options.decoder.release(standing);
  return new Chains({ ...options, sequences: takeRows(sequences, from), standing: taken, rungs });
}

/** Counts what was decoded, and scores what may reach the frontier. */
async function enter(
  arena: Arena,
  decoder: Decoder,
  sequences: Sequences,
  rewards: Float64Array,
  operator: string,
): Promise<void> {
  const { positions } = sequences;
  arena.countTokens(decoder.takeTokensRead());
  const isPromising = (row: number) => {
    const crossEntropy = -sumOf(sequences.logProbs, sequences, row, 1, positions) / (positions - 1);
    return !arena.population.strongest.members.some(
      (member) => member.cross_entropy <= crossEntropy && member.z >= rewards[row]! + NEAR,
    );
  };
  // Another prior's cross entropy is not known before it is asked, nor z where rivals are taken off it.
  const promising = Array.from(rewards.keys()).filter(
    (row) =>
      (arena.options.fluency || arena.options.gamma || isPromising(row)) &&
      arena.isNew(idsOf(sequences, row)),
  );
  await arena.evaluate(
    stackRows(promising.map((row) => idsOf(sequences, row))),
    Array(promising.length).fill(operator),
  );
  arena.countDrawn(sequences.rows - promising.length);
}
