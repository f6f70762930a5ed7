/** Children scored from what their parents share with them, against the same children scored whole. */
import { describe, expect, it, vi } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import {
  calibrationOn,
  randomModel,
  subjectOf,
  tinyConfigs,
  unitsOf,
} from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { halfEngines } from '../../engine/engine-names.js';
import { pairOf } from '../lm/in-halves.js';
import { firstChange, stackRows } from '../lm/rows.js';
import type { SequenceScore } from '../names.js';
import type { HeadMeasure } from '../readouts/head-measures.js';
import { Probe } from '../readouts/probe.js';
import type { Scores } from '../readouts/scores.js';
import { ExactChildren } from './exact-children.js';
import { ParentRows } from './parent-rows.js';
import { ScorerPair } from './scorer-pair.js';
import { SharedPrefixes } from './shared-prefixes.js';
import { UnitFirst } from './unit-first.js';

const POSITIONS = 9;
const random = new Random(5);

const configs = {
  ...tinyConfigs,
  mistral: { ...tinyConfigs.llama, model_type: 'mistral', sliding_window: 3 },
  'gpt2 behind a prefix': { ...tinyConfigs.gpt2, n_positions: 12 },
  'llama behind a prefix': { ...tinyConfigs.llama, max_position_embeddings: 12 },
};

function expectSame(got: Scores, want: Scores): void {
  for (const key of ['crossEntropy', 'z', 'raw'] as const)
    expect(relativeError(got[key], want[key])).toBeLessThan(1e-4);
  expect(got.peak).toEqual(want.peak);
  expect(got.rivals?.rank).toEqual(want.rivals?.rank);
  if (want.rivals) expect(relativeError(got.rivals!.margin, want.rivals.margin)).toBeLessThan(1e-4);
}

describe.each(Object.keys(configs) as (keyof typeof configs)[])('children of %s', (family) => {
  const { spec: bare, weights } = randomModel(configs[family], 2);
  const frame = { before: [4, 6, 0], after: [] };
  const spec = family.endsWith('prefix') ? { ...bare, context: POSITIONS, frame } : bare;
  const row = () =>
    Int32Array.from({ length: POSITIONS }, (_, i) => (i === 0 ? 0 : random.integer(spec.vocab)));
  const text = stackRows(Array.from({ length: 10 }, row));
  const calibration = calibrationOn({ spec, weights }, text, POSITIONS);
  const parents = Array.from({ length: 3 }, row);
  const pairs = Array.from({ length: 14 }, (_, i) => {
    const parent = parents[i % 3]!;
    const child = parent.slice();
    // The last one changes nothing, the one before it everything.
    const first =
      i === 13 ? POSITIONS : i === 12 ? 0 : i === 11 ? POSITIONS - 1 : 1 + random.integer(POSITIONS - 1);
    for (let t = first; t < POSITIONS; t += 1 + random.integer(3)) child[t] = random.integer(spec.vocab);
    return { child, parent };
  });
  const children = pairs.map(({ child }) => child);

  it.runIf(family === 'llama')('are scored in two halves as in one', async () => {
    const probe = await Probe.create({
      subject: subjectOf({ spec, weights }),
      calibration,
      ...unitsOf({ spec }, 'L1.N3', 'layer'),
      at: 'max',
    });
    const options = { positions: POSITIONS, parents: 3, tokens: 24 };
    const pair = pairOf(halfEngines, (engine) => new SharedPrefixes({ ...options, probe: probe.on(engine) }));
    const scorer = new ScorerPair(pair);
    const like = pairs.map(({ parent }) => parent);
    const got = await scorer.score(children, like);
    const want = await probe.score(stackRows(children), POSITIONS, 7);
    expectSame(got, want);
    expect(scorer.tokenLayers).toBe(pair[0].tokenLayers + pair[1].tokenLayers);
    // One child has all the work of one half.
    expect((await scorer.score(children.slice(0, 1), like.slice(0, 1))).z[0]).toBeCloseTo(want.z[0]!, 3);
    await Promise.all([...pair.map((one) => one.dispose()), probe.dispose()]);
  });

  it.each([
    ['L1.H1', 'delta', 'max', 'layer'],
    ['L1.H0', 'attention', 'max', 'all'],
    ['L0.H1', 'logits', 'last', 'none'],
    ['L1.N3', 'raw', 'mean', 'all'],
    ['logit: five', 'raw', 'max', 'none'],
  ] satisfies [string, HeadMeasure, SequenceScore, string][])(
    '%s by %s, %s, against %s',
    async (name, measure, at, reference) => {
      const probe = await Probe.create({
        subject: subjectOf({ spec, weights }),
        calibration,
        ...unitsOf({ spec }, name, reference, measure, () => 5),
        at,
      });
      const shared = new SharedPrefixes({ probe, positions: POSITIONS, parents: 2, tokens: 24 });
      const got = await shared.score(
        children,
        pairs.map(({ parent }) => parent),
      );
      const want = await probe.score(stackRows(children), POSITIONS, 7);
      expectSame(got, want);
      // Fewer positions than the whole would have been, parents and filled-up calls included.
      expect(shared.tokenLayers).toBeLessThan((20 + 4) * POSITIONS * spec.layers);
      await shared.dispose();

      const exact = new ExactChildren({ probe, positions: POSITIONS, parents: 2, tokens: 24 });
      const like = pairs.map(({ parent }) => parent);
      expectSame(await exact.score(children, like), want);
      // Their own children begin behind them, and no text is read whole any more.
      const grandchildren = children.map((ids, i) =>
        ids.map((id, t) => (t < 3 + (i % 5) ? id : 7 - (t % 3))),
      );
      const reading = vi.spyOn(ParentRows.prototype, 'values').mockClear();
      const further = await exact.score(grandchildren, children);
      expectSame(further, await probe.score(stackRows(grandchildren), POSITIONS, 7));
      expect(reading).not.toHaveBeenCalled();
      // A text that nothing is kept of is not read for one child: that begins like another's parent.
      const [strange, child] = [5, 6].map((last) =>
        Int32Array.from({ length: POSITIONS }, (_, i) => (i === POSITIONS - 1 ? last : (i * 5) % 7)),
      );
      const two = [grandchildren[0]!, child!];
      expectSame(
        await exact.score(two, [children[0]!, strange!]),
        await probe.score(stackRows(two), POSITIONS, 7),
      );
      expect(reading).not.toHaveBeenCalled();
      await exact.dispose();

      const unitFirst = new UnitFirst({ probe, positions: POSITIONS, parents: 2, tokens: 24 });
      const known = await probe.score(stackRows(parents), POSITIONS, 3);
      const made = parents.map((ids, i) => ({
        ids,
        peak: known.peak[i]!,
        z: known.z[i]!,
        cross_entropy: known.crossEntropy[i]!,
      }));
      const { opinions, finish, release } = await unitFirst.judge(
        children,
        pairs.map((_, i) => made[i % 3]!),
      );
      const some = [13, 12, 4, 0, 7];
      const finished = await finish(some);
      release();
      for (const key of ['crossEntropy', 'z', 'raw'] as const)
        expect(
          relativeError(
            finished[key],
            some.map((i) => want[key][i]!),
          ),
        ).toBeLessThan(1e-4);
      expect(finished.rivals?.rank).toEqual(
        want.rivals ? Int32Array.from(some, (i) => want.rivals!.rank[i]!) : undefined,
      );
      for (const [i, { point, kind, peakToken }] of opinions.entries()) {
        expect(point.z).toBeCloseTo(want.z[i]!, 3);
        expect(point.margin === null).toBe(want.rivals === null);
        expect(peakToken).toBe(children[i]![want.peak[i]!]);
        // Nothing stands behind a last change: the guess is right.
        const isLast = firstChange(children[i]!, pairs[i]!.parent) === POSITIONS - 1;
        expect(kind).toBe(isLast ? 'written' : 'guessed');
        if (isLast) expect(point.cross_entropy).toBeCloseTo(want.crossEntropy[i]!, 3);
      }
      await unitFirst.dispose();
      await probe.dispose();
    },
  );
});
