/** Sums of units and negatives, against the scores of their units one by one. */
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import {
  calibrationOn,
  randomModel,
  subjectOf,
  tinyConfigs,
  unitsOf,
} from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import type { SequenceScore } from '../names.js';
import { ablationDivergence } from './ablation.js';
import { type Details, detailsReader, readOnce } from './details.js';
import { Probe } from './probe.js';
import { splitReference } from './reference.js';

const model = randomModel(tinyConfigs.llama, 2);
const { spec } = model;
const subject = subjectOf(model);
const POSITIONS = 6;
const random = new Random(3);
const rowsOf = (count: number) =>
  Int32Array.from({ length: count * POSITIONS }, (_, i) =>
    i % POSITIONS === 0 ? 0 : random.integer(spec.vocab),
  );
const calibration = calibrationOn(model, rowsOf(20), POSITIONS);
const ids = rowsOf(1);

async function details(name: string, reference = 'none', at: SequenceScore = 'max'): Promise<Details> {
  const probe = await Probe.create({ subject, calibration, at, ...unitsOf(model, name, reference) });
  const { units } = await readOnce(detailsReader(subject, [probe]), ids);
  await probe.dispose();
  return units[0]!;
}

const past = (values: Float32Array) => Array.from(values.subarray(1));
const rivals = (name: string, reference: string) =>
  unitsOf(model, name, reference).reference.parts.flatMap(({ names }) => names);

/** z over the sequence. */
const score = async (name: string) => Math.max(...past((await details(name)).z));

describe('a sum', () => {
  const name = 'L1.H2 + 0.5*L2.N7 - L1.H0';

  it('is worth the weighted sum of the z of its units, position by position', async () => {
    const { z, raw } = await details(name);
    const parts = [await details('L1.H2'), await details('L2.N7'), await details('L1.H0')];
    const [a, b, c] = parts.map((part) => past(part.z));
    expect(
      relativeError(
        past(z),
        a!.map((value, t) => value + 0.5 * b![t]! - c![t]!),
      ),
    ).toBeLessThan(1e-4);
    // Units that differ have no raw value in common.
    expect(raw).toEqual(z);
  });

  it('is rivalled by the siblings of its units, each with its sign', async () => {
    const heads = [1, 3].flatMap((head) => [`L1.H${head}`]);
    const neurons = Array.from({ length: spec.dMlp }, (_, n) => `L2.N${n}`).filter((n) => n !== 'L2.N7');
    const expected = [...heads, ...neurons, ...heads.map((head) => `-${head}`)];
    expect(rivals(name, 'layer')).toEqual(expected);
    const scores = await Promise.all(expected.map(score));
    const own = await score(name);
    const { margin, rank } = await details(name, 'layer');
    expect(margin).toBeCloseTo(own - Math.max(...scores), 3);
    expect(rank).toBe(1 + scores.filter((rival) => rival > own).length);
  });

  it('needs the layers of the deepest unit', async () => {
    const probe = await Probe.create({ subject, calibration, at: 'max', ...unitsOf(model, 'L0.H1 + L2.N3') });
    expect(probe.layers).toBe(3);
    await probe.dispose();
  });

  it('is ablated with all of its units', async () => {
    const loss = (objective: string) =>
      ablationDivergence({ subject, calibration, ...unitsOf(model, objective) }, ids);
    const both = await loss('L1.H2 + L1.H0');
    expect(both).not.toEqual(await loss('L1.H2'));
    expect(both).toEqual(await loss('L1.H0 + L1.H2'));
    const logit = unitsOf(model, 'L1.H2 + "logit: five"', 'none', 'raw', () => 5);
    await expect(ablationDivergence({ subject, calibration, ...logit }, ids)).rejects.toThrow(
      /^logit: five cannot be ablated/,
    );
  });
});

describe('a negative', () => {
  it('is worth the negative of z, and shows the measure as it is', async () => {
    const [negative, positive] = [await details('-L1.N3'), await details('L1.N3')];
    expect(relativeError(past(negative.z), past(positive.z.map((z) => -z)))).toBeLessThan(1e-5);
    expect(negative.raw).toEqual(positive.raw);
  });

  it('is rivalled by negatives', async () => {
    const names = rivals('-L1.H2', 'all');
    expect(names).toHaveLength(spec.layers * spec.heads - 1);
    expect(names.every((name) => name.startsWith('-L'))).toBe(true);
    expect(rivals('-L1.H2', 'layer')).toEqual(['-L1.H0', '-L1.H1', '-L1.H3']);
    expect(rivals('-L1.H2', 'L1.H3, -L0.H1')).toEqual(['L1.H3', '-L0.H1']);
    const scores = await Promise.all(rivals('-L1.H2', 'layer').map(score));
    const { margin } = await details('-L1.H2', 'layer');
    expect(margin).toBeCloseTo((await score('-L1.H2')) - Math.max(...scores), 3);
  });

  it('keeps its rivals’ signs where half of them are held out', () => {
    const { reference } = unitsOf(model, '-L1.N3', 'all');
    const { seen, heldOut } = splitReference(reference, 1);
    expect(seen.size + heldOut!.size).toBe(reference.size);
    for (const { sign } of [...seen.parts, ...heldOut!.parts]) expect(sign).toBe(-1);
  });
});

it.each([
  ['L1.H9 + L1.H0', /L1\.H9 is outside this model/],
  ['L1.H2 + conv1:4', /"conv1:4" names no unit of this model|an operator was expected/],
])('refuses %s', (name, words) => {
  expect(() => unitsOf(model, name)).toThrow(words);
});

it('refuses a sum as a rival', () => {
  expect(() => unitsOf(model, 'L1.H2', 'L1.H0 + L1.H1')).toThrow(/is not one unit/);
});
