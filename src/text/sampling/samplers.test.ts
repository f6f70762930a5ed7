/** Samplers on a small random model, against the enumeration of all its texts. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  checkAnnealing,
  checkChains,
  checkImportance,
  checkSequentialMonteCarlo,
  type SamplerCase,
} from '../../../test/helpers/check-samplers.js';
import { enumerate } from '../../../test/helpers/exact-sampling.js';
import { randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../engine/random.js';
import { Calibration } from '../calibration.js';
import { Probe } from '../probe.js';
import { measuredUnit, referenceClass } from '../reference.js';
import { parseTextUnit } from '../units.js';
import { Decoder } from './decoder.js';
import { PrefixReward } from './prefix-reward.js';

const LENGTH = 4;
const banned = [0, 4, 7, 9];

describe.each([
  { family: 'llama', unitName: 'L1.H2' },
  { family: 'gpt2', unitName: 'L1.H0' },
] as const)('samplers of $unitName of a random $family', ({ family, unitName }) => {
  let test: SamplerCase;
  let probe: Probe;
  beforeAll(async () => {
    const { spec, weights } = randomModel(tinyConfigs[family], 5);
    const random = Random.of(1, 'calibration text');
    const ids = Int32Array.from({ length: 40 * 6 }, (_, i) => (i % 6 === 0 ? 0 : random.integer(spec.vocab)));
    const calibration = new Calibration({
      spec,
      weights,
      text: async () => ({ ids, positions: 6, source: 'corpus', key: 'test' }),
    });
    const unit = measuredUnit(parseTextUnit(unitName, spec), spec, 'delta', () => null);
    const reference = referenceClass('none', unit, spec, 'delta', 1, () => null);
    probe = await Probe.create({ spec, weights, unit, reference, calibration, at: 'max', engine: 'onnx' });
    const tokens = Array.from({ length: spec.vocab }, (_, id) => id).filter((id) => !banned.includes(id));
    test = {
      decoder: await Decoder.create({
        spec,
        weights,
        probe,
        withRivals: false,
        banned,
        positions: LENGTH + 1,
        batch: 256,
        engine: 'onnx',
      }),
      reward: new PrefixReward('max'),
      start: 0,
      all: await enumerate(probe, 0, tokens, LENGTH, 1024),
      betas: [0, 0.5, 1, 2],
    };
  });
  afterAll(async () => {
    test.decoder.dispose();
    await probe.dispose();
  });

  it('sequential Monte Carlo', () => checkSequentialMonteCarlo(test, 40));
  it('importance weights of prior samples', () => checkImportance(test, 20));
  it('annealed importance sampling', () => checkAnnealing(test, 15));
  it('chains on a ladder', () => checkChains(test, 16, 12));
});
