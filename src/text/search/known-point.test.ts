/** What a sampler finds out about rows while it writes them, against the same rows scored. */
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
import type { SequenceScore } from '../names.js';
import type { HeadMeasure } from '../readouts/head-measures.js';
import { Probe } from '../readouts/probe.js';
import type { Rewrite } from '../sampling/draw-jobs.js';
import { nothingKnown } from '../sampling/known.js';
import { Sampler } from '../sampling/sampler.js';
import { pointKnown } from './known-point.js';

const POSITIONS = 9;

describe.each([
  ['gpt2', 'L1.H1', 'delta', 'max', 'layer', []],
  ['llama', 'L0.N3', 'raw', 'last', 'all', [4, 6]],
  ['llama', 'L1.H0', 'attention', 'max', 'none', []],
] satisfies [keyof typeof tinyConfigs, string, HeadMeasure, SequenceScore, string, number[]][])(
  'of %s, %s by %s, %s, against %s',
  (family, name, measure, at, reference, lead) => {
    it('is what they are scored', async () => {
      const { spec: bare, weights } = randomModel(tinyConfigs[family], 2);
      const spec = lead.length > 0 ? { ...bare, frame: { before: [...lead, 0], after: [] } } : bare;
      const random = new Random(5);
      const row = () =>
        Int32Array.from({ length: POSITIONS }, (_, i) => (i === 0 ? 0 : random.integer(spec.vocab)));
      const subject = subjectOf({ spec, weights });
      const text = stackRows(Array.from({ length: 10 }, row));
      const calibration = calibrationOn({ spec, weights }, text, POSITIONS);
      const unit = unitsOf({ spec }, name, reference, measure, () => 5);
      const probe = await Probe.create({ subject, calibration, ...unit, at });
      const sampler = await Sampler.create({ subject, positions: POSITIONS, batch: 8, parents: 2, probe });

      // A token changed before or behind what is written, or none; texts of their own at the end.
      const parents = Array.from({ length: 3 }, row);
      const changes = [2, 5, 8, 7, 1, 3, 4, 8, 6, 3, 2];
      const made = changes.map((change, i) => parents[i % 3]!.with(change, random.integer(spec.vocab)));
      const rewrites = made.map((_, i): Rewrite => {
        const from = 1 + (i % 7);
        return { from, count: i === 4 ? 2 : POSITIONS - from };
      });
      const known = made.map(() => nothingKnown(POSITIONS));
      const parentOf = made.map((_, i) => parents[i % 3]!);
      const written = await sampler.rewrite(stackRows(made), rewrites, random, parentOf, known);
      const drawn = Array.from({ length: 5 }, () => nothingKnown(POSITIONS));
      const rows = Int32Array.from([...written, ...(await sampler.sample(5, random, 1, drawn))]);
      const want = await probe.score(rows, POSITIONS, 8);
      const check = (
        point: ReturnType<typeof pointKnown>,
        { crossEntropy, z, peak, rivals }: typeof want,
        i: number,
      ) => {
        expect(point!.point.cross_entropy).toBeCloseTo(crossEntropy[i]!, 4);
        expect(point!.point.z).toBeCloseTo(z[i]!, 3);
        expect(point!.peak).toBe(peak[i]);
        if (rivals) expect(point!.point.margin).toBeCloseTo(rivals.margin[i]!, 3);
        else expect(point!.point.margin).toBeNull();
      };
      for (const [i, one] of [...known, ...drawn].entries())
        if (i === 4) expect(pointKnown(one, at)).toBeNull();
        else check(pointKnown(one, at), want, i);

      const ofParents = await probe.score(stackRows(parents), POSITIONS, 3);
      const read = known.flatMap(({ parent }, i) => (parent ? [{ parent, i }] : []));
      expect(read.length).toBeGreaterThan(5);
      for (const { parent, i } of read) check(pointKnown(parent, at), ofParents, i % 3);
      expect(pointKnown(nothingKnown(POSITIONS), at)).toBeNull();
      sampler.dispose();
      await probe.dispose();
    });
  },
);
