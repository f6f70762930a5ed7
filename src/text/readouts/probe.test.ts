/** Scores of sequences by hand: z, margin and rank over reference classes, cross entropy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { type Output, runOn } from '../../../test/helpers/engines.js';
import { calibrationOn, randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import type * as tf from '../../engine/functions/tfjs.js';
import { writeSafetensors } from '../../engine/weights/safetensors.js';
import type { Place } from '../lm/places.js';
import { forward } from '../lm/transformer.js';
import type { SequenceScore } from '../names.js';
import { detailsReader, readOnce } from './details.js';
import { openObjective } from './objective.js';
import { Probe } from './probe.js';
import { type ReferenceClass, referenceClass, splitReference } from './reference.js';
import { parseTextUnit } from './units.js';

const { spec, weights } = randomModel(tinyConfigs.llama, 2);
const subject = subjectOf({ spec, weights });
const positions = 6;
const random = new Random(11);
const rowsOf = (count: number) =>
  Int32Array.from({ length: count * positions }, (_, i) =>
    i % positions === 0 ? 0 : random.integer(spec.vocab),
  );
const ids = rowsOf(7);
const calibrationIds = rowsOf(20);
const calibration = calibrationOn({ spec, weights }, calibrationIds, positions);

const folder = mkdtempSync(join(tmpdir(), 'superstim-probe-'));
afterAll(() => rmSync(folder, { recursive: true }));
const directions = join(folder, 'directions.safetensors');
const vector = new Random(4).normals(spec.dModel);
writeSafetensors(directions, [['up', { shape: [spec.dModel], data: vector }]]);

const tokenId = (text: string) => (text === ' five' ? 5 : null);
const context = { spec, measure: 'raw', tokenId } as const;
const objectiveOf = (name: string) => openObjective(name, context);
const classOf = (name: string, unit: string, seed = 0) =>
  referenceClass(name, objectiveOf(unit), context, seed);

function probeOf(unit: string, reference: string, at: SequenceScore = 'max'): Promise<Probe> {
  return Probe.create({
    subject,
    calibration,
    at,
    objective: objectiveOf(unit),
    reference: classOf(reference, unit),
  });
}

/** A unit's measure at every position of rows, straight from `forward`: `[row][pos]`. */
async function rawByHand(name: string, rows: Int32Array): Promise<number[][]> {
  const unit = parseTextUnit(name, spec);
  const place: Place =
    unit.kind === 'head'
      ? `blocks.${unit.layer}.attn.hook_result`
      : unit.kind === 'neuron'
        ? `blocks.${unit.layer}.mlp.hook_${unit.side}`
        : unit.kind === 'direction'
          ? `blocks.${unit.layer}.hook_resid_pre`
          : 'logits';
  const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
    value: forward(spec, lookup, { ids: inputs.ids! }).at(place),
  });
  const shape = [rows.length / positions, positions];
  const { value } = (await runOn('cpu', fn, { ids: { shape, data: rows } }, weights)) as { value: Output };
  const size = value.data.length / rows.length;
  const measures = Array.from({ length: rows.length }, (_, t) => {
    const entries = Array.from(value.data.subarray(t * size, (t + 1) * size));
    if (unit.kind === 'head') {
      return Math.hypot(...entries.slice(unit.head * spec.dModel, (unit.head + 1) * spec.dModel));
    }
    if (unit.kind === 'neuron') return entries[unit.neuron]!;
    if (unit.kind === 'direction') return entries.reduce((sum, x, i) => sum + x * vector[i]!, 0);
    return entries[5]!;
  });
  return Array.from({ length: shape[0]! }, (_, row) =>
    measures.slice(row * positions, (row + 1) * positions),
  );
}

const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;

/** z by hand, `[row][pos]`, moments over calibration tokens past position 0. */
async function zByHand(name: string): Promise<number[][]> {
  const usual = (await rawByHand(name, calibrationIds)).flatMap((row) => row.slice(1));
  const deviation = Math.sqrt(mean(usual.map((x) => (x - mean(usual)) ** 2)));
  return (await rawByHand(name, ids)).map((row) => row.map((x) => (x - mean(usual)) / deviation));
}

const overSequence: Record<SequenceScore, (row: readonly number[]) => number> = {
  max: (row) => Math.max(...row.slice(1)),
  last: (row) => row.at(-1)!,
  mean: (row) => mean(row.slice(1)),
};

const headsOf = (layer: number) => Array.from({ length: spec.heads }, (_, h) => `L${layer}.H${h}`);
const neuronsOf = (layer: number) => Array.from({ length: spec.dMlp }, (_, n) => `L${layer}.N${n}`);
const layers = [0, 1, 2];
const direction = `L2.D:${directions}#up`;

describe('Probe', () => {
  it.each<[unit: string, reference: string, rivals: string[], at: SequenceScore]>([
    ['L1.H2', 'layer', headsOf(1), 'max'],
    ['L1.H2', 'layer', headsOf(1), 'last'],
    ['L1.H2', 'layer', headsOf(1), 'mean'],
    ['L1.H2', 'layer:0', headsOf(0), 'max'],
    ['L1.H2', 'all', layers.flatMap(headsOf), 'max'],
    ['L2.N7', 'layer', neuronsOf(2), 'max'],
    ['L2.N7', 'all', layers.flatMap(neuronsOf), 'mean'],
    ['L2.N7:pre', 'L2.N7, L0.N1:pre, L1.H3, L2.N7:pre', ['L2.N7', 'L0.N1:pre', 'L1.H3'], 'max'],
    [direction, 'L0.H0,logit: five', ['L0.H0', 'logit: five'], 'max'],
    ['logit: five', direction, [direction], 'last'],
  ])('%s against %s: z, margin and rank', async (unit, reference, rivals, at) => {
    const probe = await probeOf(unit, reference, at);
    const { z, rivals: scored } = await probe.score(ids, positions, 4);
    const { margin, rank } = scored!;
    await probe.dispose();
    const score = async (name: string) => (await zByHand(name)).map(overSequence[at]);
    const own = await score(unit);
    expect(relativeError(z, own)).toBeLessThan(1e-4);
    const others = await Promise.all(rivals.filter((name) => name !== unit).map(score));
    const strongest = own.map((_, row) => Math.max(...others.map((other) => other[row]!)));
    expect(
      relativeError(
        margin,
        own.map((value, row) => value - strongest[row]!),
      ),
    ).toBeLessThan(1e-4);
    const ranks = own.map((value, row) => 1 + others.filter((other) => other[row]! > value).length);
    expect(Array.from(rank)).toEqual(ranks);
  });

  it('reports the raw measure where z is largest', async () => {
    const probe = await probeOf('L1.H2', 'none');
    const { raw, rivals, heldOut, peak } = await probe.score(ids, positions, 8);
    await probe.dispose();
    const byHand = (await rawByHand('L1.H2', ids)).map(overSequence.max);
    expect(relativeError(raw, byHand)).toBeLessThan(1e-5);
    expect([rivals, heldOut]).toEqual([null, null]);
    const peaks = (await rawByHand('L1.H2', ids)).map((row) => row.indexOf(overSequence.max(row)));
    expect(Array.from(peak)).toEqual(peaks);
  });

  it('gives the cross entropy in nats a token', async () => {
    const probe = await probeOf('L1.H2', 'none');
    const { crossEntropy } = await probe.score(ids, positions, 8);
    await probe.dispose();
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
      logits: forward(spec, lookup, { ids: inputs.ids! }).at('logits'),
    });
    const { logits } = await runOn('cpu', fn, { ids: { shape: [7, positions], data: ids } }, weights);
    const logProb = (t: number, token: number) => {
      const row = Array.from(logits!.data.subarray(t * spec.vocab, (t + 1) * spec.vocab));
      return row[token]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    };
    const expected = Array.from({ length: 7 }, (_, row) =>
      mean(
        Array.from({ length: positions - 1 }, (_, i) => {
          const t = row * positions + i;
          return -logProb(t, ids[t + 1]!);
        }),
      ),
    );
    expect(relativeError(crossEntropy, expected)).toBeLessThan(1e-5);
  });

  it('gives a sequence the same scores in whatever batch', async () => {
    const probe = await probeOf('L1.H2', 'layer');
    const together = await probe.score(ids, positions, 7);
    const filledUp = await probe.score(ids, positions, 4);
    const alone = await probe.score(ids.subarray(0, positions), positions, 1);
    await probe.dispose();
    expect(relativeError(filledUp.z, together.z)).toBeLessThan(1e-5);
    expect(filledUp.rivals!.rank).toEqual(together.rivals!.rank);
    expect(alone.z[0]).toBeCloseTo(together.z[0]!, 4);
    expect(alone.rivals!.margin[0]).toBeCloseTo(together.rivals!.margin[0]!, 4);
  });

  it('agrees with its own details', async () => {
    const probe = await probeOf('L1.H2', 'layer');
    const row = ids.subarray(0, positions);
    const { crossEntropy, z, rivals } = await probe.score(row, positions, 1);
    const { logProbs, units } = await readOnce(detailsReader(subject, [probe]), row);
    const details = units[0]!;
    await probe.dispose();
    expect(relativeError(details.z, (await zByHand('L1.H2'))[0]!)).toBeLessThan(1e-4);
    expect(relativeError(details.raw, (await rawByHand('L1.H2', row))[0]!)).toBeLessThan(1e-5);
    expect(Math.max(...details.z.subarray(1))).toBeCloseTo(z[0]!, 5);
    expect(-mean(Array.from(logProbs))).toBeCloseTo(crossEntropy[0]!, 5);
    expect(details.margin).toBeCloseTo(rivals!.margin[0]!, 5);
    expect(details.rank).toBe(rivals!.rank[0]);
  });
});

describe('rivals held out', () => {
  it('are kept apart from those that may be worked against', async () => {
    const whole = classOf('all', 'L2.N7');
    const { seen, heldOut } = splitReference(whole, 3);
    const members = ({ parts }: ReferenceClass) => parts.flatMap(({ indices }) => indices);
    expect(heldOut!.size).toBe(Math.floor(whole.size / 2));
    expect([...members(seen), ...members(heldOut!)].sort()).toEqual(members(whole).sort());
    expect(splitReference(whole, 3)).toEqual({ seen, heldOut });
    expect(splitReference(whole, 4).seen).not.toEqual(seen);
    expect(splitReference(classOf('layer', 'L1.H2'), 3)).toEqual({
      seen: classOf('layer', 'L1.H2'),
      heldOut: null,
    });

    const shared = { subject, calibration, at: 'max', objective: objectiveOf('L2.N7') } as const;
    const together = await Probe.create({ ...shared, reference: whole });
    const apart = await Probe.create({ ...shared, reference: seen, heldOut: heldOut! });
    const one = (await together.score(ids, positions, 7)).rivals!;
    const two = await apart.score(ids, positions, 7);
    await Promise.all([together.dispose(), apart.dispose()]);
    const margins = one.margin.map((_, row) => Math.min(two.rivals!.margin[row]!, two.heldOut!.margin[row]!));
    expect(relativeError(one.margin, Array.from(margins))).toBeLessThan(1e-5);
    expect(Array.from(one.rank)).toEqual(
      Array.from(two.rivals!.rank, (rank, row) => rank + two.heldOut!.rank[row]! - 1),
    );
  });

  it('soft rivals lie between their mean and the strongest', async () => {
    const probe = await probeOf('L2.N7', 'layer');
    const { z, rivals } = await probe.score(ids, positions, 7);
    await probe.dispose();
    const others = await Promise.all(
      neuronsOf(2)
        .filter((name) => name !== 'L2.N7')
        .map(async (name) => (await zByHand(name)).map(overSequence.max)),
    );
    const soft = Array.from(z, (_, row) => {
      const values = others.map((other) => other[row]!);
      const weights = values.map(Math.exp);
      return values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / weights.reduce((a, b) => a + b);
    });
    expect(relativeError(rivals!.soft, soft)).toBeLessThan(1e-4);
  });
});
