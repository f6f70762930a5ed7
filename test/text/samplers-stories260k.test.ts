/** Samplers on a real model, against the enumeration of all its texts of two tokens (512 x 512 but for specials). */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject } from '../../src/text/lm/subject.js';
import { Probe } from '../../src/text/readouts/probe.js';
import { calibrate, resolveUnits, type Session } from '../../src/text/readouts/session.js';
import { Decoder } from '../../src/text/sampling/decoder.js';
import { PrefixReward } from '../../src/text/sampling/prefix-reward.js';
import {
  checkAnnealing,
  checkChains,
  checkImportance,
  checkSequentialMonteCarlo,
  type SamplerCase,
} from '../helpers/check-samplers.js';
import { enumeratePairs } from '../helpers/exact-sampling.js';
import { shared } from '../helpers/shared.js';

const stories = shared('models/stories260k');
const LENGTH = 2;

describe.skipIf(stories.missing)(stories.title('samplers of L2.H3 of stories260k'), () => {
  let test: SamplerCase;
  let probe: Probe;
  beforeAll(async () => {
    const model = await loadTextModel(stories.path);
    const engine = 'onnx';
    const subject = openSubject(model, engine);
    const session: Session = {
      model,
      engine,
      measure: 'delta',
      at: 'max',
      reference: 'none',
      seed: 1,
    };
    const units = resolveUnits('L2.H3', session);
    const calibration = await finishRun(calibrate(session));
    probe = await Probe.create({ subject, ...units, calibration, at: 'max' });
    const { spec, special, start } = subject;
    const tokens = Array.from({ length: spec.vocab }, (_, id) => id).filter((id) => !special.includes(id));
    test = {
      decoder: await Decoder.create({
        probe,
        withRivals: false,
        positions: LENGTH + 1,
        batch: 256,
      }),
      reward: new PrefixReward('max'),
      all: await enumeratePairs(probe, start, tokens),
      betas: [0, 1, 2, 3],
    };
  }, 120_000);
  afterAll(async () => {
    test.decoder.dispose();
    await probe.dispose();
  });

  it('sequential Monte Carlo', () => checkSequentialMonteCarlo(test, 40));
  it('importance weights of prior samples', () => checkImportance(test, 20));
  it('annealed importance sampling', () => checkAnnealing(test, 10));
  it('chains on a ladder', () => checkChains(test, 6, 10));
});
