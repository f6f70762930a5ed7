/** The graphs of soft prompts, against finite differences of what they say of themselves. */
import { describe, expect, it } from 'vitest';
import {
  calibrationOn,
  randomModel,
  subjectOf,
  tinyConfigs,
  unitsOf,
} from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { stackRows } from '../lm/rows.js';
import { Probe } from '../readouts/probe.js';
import { compileProjected, compileRelaxed } from './soft-prompt.js';

const [BATCH, POSITIONS, STEP] = [2, 5, 1e-2] as const;
const { spec, weights } = randomModel(tinyConfigs.llama, 4);
const random = new Random(8);
const rows = Array.from({ length: 20 }, () =>
  Int32Array.from({ length: POSITIONS }, (_, i) => (i === 0 ? 0 : random.integer(spec.vocab))),
);
const calibration = calibrationOn({ spec, weights }, stackRows(rows), POSITIONS);
const subject = subjectOf({ spec, weights });
const probe = await Probe.create({ subject, calibration, ...unitsOf({ spec }, 'L1.H2'), at: 'mean' });
const options = { probe, gamma: 0, positions: POSITIONS, batch: BATCH };
const noFluency = new Float32Array(BATCH);

describe('soft prompts', () => {
  it('climb along the gradient of z where fluency does not count', async () => {
    const graph = await compileRelaxed(options);
    const size = BATCH * (POSITIONS - 1) * spec.vocab;
    const [soft, noise] = [random.normals(size), random.normals(size)];
    const run = (at: Float32Array) => graph.run({ soft: at, noise, sharpness: [0.7], lambda: noFluency });
    const { gradient, softZ } = await run(soft);
    for (const entry of [3, 20, 47, 90]) {
      const [up, down] = await Promise.all(
        [STEP, -STEP].map((by) => run(soft.map((x, i) => (i === entry ? x + by : x)))),
      );
      const row = Math.floor(entry / (size / BATCH));
      const slope = (up!.softZ![row]! - down!.softZ![row]!) / (2 * STEP);
      expect(gradient![entry]!).toBeCloseTo(slope, 2);
      expect(up!.softZ![1 - row]!).toBeCloseTo(softZ![1 - row]!, 5);
    }
    graph.dispose();
  });

  it('read vectors as the nearest tokens that are allowed', async () => {
    const graph = await compileProjected(options);
    const table = weights.read('model.embed_tokens.weight') as Float32Array;
    const ids = [5, 1, 12, 7, 2, 2, 9, 3];
    const soft = Float32Array.from(
      ids.flatMap((id) => Array.from(table.subarray(id * spec.dModel, (id + 1) * spec.dModel))),
      (x) => x + 0.01 * random.normal(),
    );
    expect(Array.from((await graph.run({ soft, lambda: noFluency })).ids!)).toEqual(ids);
    const banned = table.subarray(0, spec.dModel);
    soft.set(banned, 0);
    expect((await graph.run({ soft, lambda: noFluency })).ids![0]).not.toBe(0);
    graph.dispose();
  });
});
