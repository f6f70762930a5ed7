/** Reference classes by name, and directions as members of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { writeSafetensors } from '../../engine/weights/safetensors.js';
import { openObjective } from './objective.js';
import { referenceClass } from './reference.js';

const { spec } = randomModel(tinyConfigs.llama, 2);

const folder = mkdtempSync(join(tmpdir(), 'superstim-reference-'));
afterAll(() => rmSync(folder, { recursive: true }));
const directions = join(folder, 'directions.safetensors');
const vector = new Random(4).normals(spec.dModel);
writeSafetensors(directions, [
  ['up', { shape: [spec.dModel], data: vector }],
  ['short', { shape: [3], data: new Float32Array(3) }],
  ['zero', { shape: [spec.dModel], data: new Float32Array(spec.dModel) }],
  ['spoilt', { shape: [spec.dModel], data: Float32Array.from(vector, (x, i) => (i === 1 ? Number.NaN : x)) }],
]);

const tokenId = (text: string) => (text === ' five' ? 5 : null);
const context = { spec, measure: 'raw', tokenId } as const;
const objectiveOf = (name: string) => openObjective(name, context);
const keyOf = (name: string) => objectiveOf(name).terms[0]!.readout.group.key;
const classOf = (name: string, unit: string, seed = 0) =>
  referenceClass(name, objectiveOf(unit), context, seed);

const direction = `L2.D:${directions}#up`;

describe('referenceClass', () => {
  const names = (reference: string, unit: string, seed = 0) =>
    classOf(reference, unit, seed).parts.flatMap(({ names }) => names);

  it('never holds the unit itself', () => {
    expect(names('layer', 'L1.H2')).toEqual(['L1.H0', 'L1.H1', 'L1.H3']);
    expect(names('L1.H2,L1.H3,L1.H3', 'L1.H2')).toEqual(['L1.H3']);
    expect(classOf('all', 'L1.H2').size).toBe(11);
    // The activation and the pre-activation of a neuron are two units.
    expect(classOf('L0.N1', 'L0.N1:pre').size).toBe(1);
  });

  it('random:N: as many others as asked for, by seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const drawn = names('random:5', 'L0.H1', seed);
      expect(new Set(drawn).size).toBe(5);
      expect(drawn).not.toContain('heads 0 1');
      expect(names('random:5', 'L0.H1', seed)).toEqual(drawn);
    }
    expect(names('random:5', 'L0.H1', 0)).not.toEqual(names('random:5', 'L0.H1', 1));
    expect(classOf('random:64', 'L0.H1').size).toBe(11);
  });

  it('is empty for units without siblings', () => {
    expect(classOf('layer', 'logit: five').size).toBe(0);
    expect(classOf('all', direction).size).toBe(0);
    expect(classOf('none', 'L0.H0').size).toBe(0);
  });

  it.each([
    ['everything', 'is none of layer, layer:K'],
    ['layer:x', 'is none of layer, layer:K'],
    ['a'.repeat(1000), `"${'a'.repeat(79)}…" is none of`],
    ['layer:3', 'its layers are numbered 0 to 2'],
    ['L0.H0,L0.H9', 'L0.H9 is outside this model'],
    ['logit:six', '"six" is not one token'],
    ['conv:1', '"conv:1" names no unit of this model'],
  ])('refuses %s', (name, words) => {
    expect(() => classOf(name, 'L1.H2')).toThrow(UsageError);
    expect(() => classOf(name, 'L1.H2')).toThrow(words);
  });
});

describe('measuredUnit', () => {
  it('identifies a direction by what it is, not by where it is kept', () => {
    const copy = join(folder, 'copy.safetensors');
    writeSafetensors(copy, [['up', { shape: [spec.dModel], data: vector }]]);
    expect(keyOf(`L2.D:${copy}#up`)).toBe(keyOf(direction));
    writeSafetensors(copy, [['up', { shape: [spec.dModel], data: vector.map((x) => -x) }]]);
    expect(keyOf(`L2.D:${copy}#up`)).not.toBe(keyOf(direction));
  });

  it('refuses a direction of another width', () => {
    expect(() => objectiveOf(`L2.D:${directions}#short`)).toThrow(
      `"short" in ${directions} has shape [3]; a direction of this model is [12]`,
    );
    expect(() => objectiveOf(`L2.D:${directions}#zero`)).toThrow('is zero everywhere, which is no direction');
    expect(() => objectiveOf(`L2.D:${directions}#spoilt`)).toThrow('"spoilt" holds NaN (element 1 of 12)');
  });
});
