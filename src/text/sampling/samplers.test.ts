/** Samplers on a small random model, against the enumeration of all its texts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkAnnealing,
  checkChains,
  checkImportance,
  checkSequentialMonteCarlo,
  type SamplerCase,
} from '../../../test/helpers/check-samplers.js';
import { logProbabilities } from '../../../test/helpers/enumerate.js';
import { enumerate } from '../../../test/helpers/exact-sampling.js';
import {
  calibrationOn,
  randomModel,
  subjectOf,
  tinyConfigs,
  unitsOf,
} from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { MemoryWeights } from '../../engine/weights/weights.js';
import { Probe } from '../readouts/probe.js';
import { Decoder } from './decoder.js';
import { PrefixReward } from './prefix-reward.js';
import { idsOf, sumOf } from './sequences.js';
import { islandOf } from './smc.js';

const LENGTH = 4;
const BATCH = 256;
const banned = [0, 4, 7, 9];
const BETAS = [0, 0.5, 1, 2];

describe.each([
  { family: 'gpt2', unitName: 'L1.H0', from: 'the prior' },
  { family: 'llama', unitName: 'L1.H2', from: 'the prior in a frame' },
  { family: 'llama', unitName: 'L1.H2', from: 'a proposal in a frame' },
] as const)('samplers of $unitName of a random $family, drawing from $from', ({ family, unitName, from }) => {
  let test: SamplerCase;
  let probe: Probe;
  const { spec, weights, arrays } = randomModel(tinyConfigs[family], 5);
  const isFramed = from.endsWith('in a frame');
  const hasProposal = from.startsWith('a proposal');
  // Behind this prefix the proposal's weights stay small. Behind others a few texts that it hardly ever draws have nearly
  // all of sigma, and no estimate has a standard error to be trusted.
  const frame = { before: hasProposal ? [5, 2, 0] : [3, 8, 0], after: [6] };
  const framed = isFramed ? { ...spec, frame } : spec;
  const proposal = disturbed(arrays, isFramed ? 0.05 : 0.1);
  beforeAll(async () => {
    const random = Random.of(1, 'calibration text');
    const ids = Int32Array.from({ length: 40 * 6 }, (_, i) => (i % 6 === 0 ? 0 : random.integer(spec.vocab)));
    const calibration = calibrationOn({ spec, weights }, ids, 6);
    const at = isFramed ? 'last' : 'max';
    const subject = subjectOf({ spec: framed, weights }, banned);
    probe = await Probe.create({
      subject,
      ...unitsOf({ spec }, unitName, 'none', 'delta'),
      calibration,
      at,
    });
    const tokens = Array.from({ length: spec.vocab }, (_, id) => id).filter((id) => !banned.includes(id));
    test = {
      decoder: await Decoder.create({
        probe,
        withRivals: false,
        positions: LENGTH + 1,
        batch: BATCH,
        ...(hasProposal && { proposal: { weights: proposal, shares } }),
      }),
      reward: new PrefixReward(at),
      all: await enumerate(probe, 0, tokens, LENGTH, 1024),
      betas: BETAS,
    };
  });
  afterAll(async () => {
    test.decoder.dispose();
    await probe.dispose();
  });

  it('every draw has its own probabilities and reward', async () => {
    const { decoder, reward, all } = test;
    const { sequences, standing } = await decoder.drawAll(new Random(3));
    decoder.release(standing);
    const { positions } = all;
    const drawn = await logProbabilities(
      framed,
      hasProposal ? proposal : weights,
      banned,
      all.ids,
      positions,
    );
    const places = new Map(
      Array.from(drawn, (_, i) => [all.ids.subarray(i * positions, (i + 1) * positions).join(), i]),
    );
    for (let row = 0; row < BATCH; row++) {
      const i = places.get(idsOf(sequences, row).join())!;
      expect(sumOf(sequences.logProbs, sequences, row, 1, positions)).toBeCloseTo(all.logProbs[i]!, 4);
      expect(reward.of(sequences, row, LENGTH)).toBeCloseTo(all.rewards[i]!, 4);
      // Of a mean of the two, only the next token's probability is known.
      if (hasProposal && shares[row] !== 1) continue;
      expect(sumOf(sequences.logDraws, sequences, row, 1, positions)).toBeCloseTo(drawn[i]!, 4);
    }
  });
  it('sequential Monte Carlo', () => checkSequentialMonteCarlo(test, 40));
  it('importance weights of prior samples', () => checkImportance(test, 20));
  it('annealed importance sampling', () => checkAnnealing(test, 15));
  it('chains on a ladder', () => checkChains(test, 16, 12));

  it.runIf(hasProposal)('fail where draws are taken for those of the prior', async () => {
    const careless = {
      ...test,
      decoder: Object.create(test.decoder, {
        draw: {
          value: async (...drawn: Parameters<Decoder['draw']>) => {
            const next = await test.decoder.draw(...drawn);
            return { ...next, logDraws: next.logProbs };
          },
        },
      }) as Decoder,
    };
    await expect(checkSequentialMonteCarlo(careless, 40)).rejects.toThrow();
    await expect(checkImportance(careless, 20)).rejects.toThrow();
    await expect(checkChains(careless, 16, 12)).rejects.toThrow();
  });
});

/** Rows lean to the proposal more and more, the rows of one island alike. */
const shares = Float32Array.from(
  { length: BATCH },
  (_, row) => (1 + islandOf(row, BATCH, BETAS.length)) / BETAS.length,
);

/** Another model that is like the given one: all its weights moved by so much. */
function disturbed(arrays: ReturnType<typeof randomModel>['arrays'], amount: number): MemoryWeights {
  const changed = arrays.map(([name, { shape, data }]) => {
    const random = Random.of(2, name);
    return [name, { shape, data: data.map((x) => x + amount * random.normal()) }] as const;
  });
  return new MemoryWeights(new Map(changed));
}
