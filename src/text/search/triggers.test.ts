/** Triggers on the embedded model, against as many random texts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { lastOf } from '../../core/last-of.js';
import { Random } from '../../core/random.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { loadTextModel } from '../lm/model.js';
import { stackRows } from '../lm/rows.js';
import { openSubject, type TextSubject } from '../lm/subject.js';
import { Probe } from '../readouts/probe.js';
import { calibrate, resolveUnits } from '../readouts/session.js';
import { Sampler } from '../sampling/sampler.js';
import { Arena } from './arena.js';
import { candidateOf } from './candidate.js';
import { Proposer } from './proposals.js';
import { usableTokens } from './random-texts.js';
import { TriggerFinder } from './triggers.js';

let subject: TextSubject;
let atEnd: Probe;
let arenaOf: (evaluations: number, positions?: number, sharesPrefixes?: boolean) => Promise<Arena>;

beforeAll(async () => {
  const model = await loadTextModel(`${embeddedFolder}/books-lm`);
  subject = openSubject(model, 'onnx');
  const options = {
    model,
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'layer',
    seed: 0,
  } as const;
  const probing = { subject, calibration: await finishRun(calibrate(options)), at: 'max' } as const;
  const probe = await Probe.create({ ...probing, ...resolveUnits('L2.N100', options) });
  atEnd = await Probe.create({
    ...probing,
    at: 'last',
    ...resolveUnits('L2.N100', { ...options, reference: 'none' }),
  });
  arenaOf = async (evaluations, positions = 9, sharesPrefixes = false) => {
    const batch = 64;
    const arena = new Arena(
      {
        subject,
        probe,
        positions,
        batch,
        turn: batch,
        quiet: null,
        random: new Random(1),
        sharesPrefixes,
        sampler: await Sampler.create({ subject, positions, batch, parents: 16 }),
        proposer: new Proposer({ probe, positions, batch: 1, asked: 1, count: 8 }),
      },
      { evaluations, seconds: Infinity },
    );
    const ids = new Int32Array(positions).fill(subject.start, 0, 1).fill(usableTokens(subject)[0]!, 1);
    arena.population.add(candidateOf(ids, await probe.score(ids, positions, batch), 0, subject, null));
    return arena;
  };
}, 60_000);

async function triggersOf(arena: Arena, share: number): Promise<Int32Array[]> {
  const finder = await TriggerFinder.create(arena);
  const found = await lastOf(finder.find(share));
  await finder.dispose();
  return found;
}
const strengths = async (rows: readonly Int32Array[]): Promise<Float32Array> =>
  (await atEnd.score(stackRows(rows), rows[0]!.length, 64)).z;

describe('TriggerFinder', () => {
  it('finds what no random text comes near, each with another end, at no more than its share', async () => {
    const arena = await arenaOf(10_000);
    const triggers = await triggersOf(arena, 0.4);
    expect(arena.ledger.evaluations).toBeLessThanOrEqual(4000);
    expect(arena.ledger.evaluations).toBeGreaterThan(3000);
    // Three layers of four are needed for this unit.
    expect(arena.ledger.tokenLayers).toBeLessThan(arena.ledger.evaluations * 6 * subject.spec.layers);

    expect(new Set(triggers.map((ids) => ids.at(-1))).size).toBe(16);
    for (const ids of triggers) {
      expect(ids).toHaveLength(6);
      expect(subject.tokenizer.roundTrips(ids)).toBe(true);
    }
    const found = await strengths(triggers);
    expect([...found]).toEqual([...found].sort((a, b) => b - a));

    const random = new Random(2);
    const tokens = usableTokens(subject);
    const texts = Array.from({ length: 4000 }, () =>
      triggers[0]!.map((id, i) => (i === 0 ? id : random.pick(tokens))),
    );
    expect(found[0]).toBeGreaterThan(1.5 * Math.max(...(await strengths(texts))));
  });

  it('finds the same for less where what texts have in common is computed once', async () => {
    const [plain, shared] = [await arenaOf(5000), await arenaOf(5000, 9, true)];
    expect(await triggersOf(shared, 0.4)).toEqual(await triggersOf(plain, 0.4));
    expect(shared.ledger.evaluations).toBe(plain.ledger.evaluations);
    expect(shared.ledger.tokenLayers).toBeLessThan(0.8 * plain.ledger.tokenLayers);
  });

  it('finds the strongest token of all where texts have one', async () => {
    const [strongest] = await triggersOf(await arenaOf(10_000, 2), 1);
    const { start } = subject;
    const all = usableTokens(subject).map((id) => Int32Array.of(start, id));
    const z = await strengths(all);
    expect(Array.from(strongest!)).toEqual(Array.from(all[z.indexOf(Math.max(...z))]!));
  });

  it('spends nothing where its share is too small to find any', async () => {
    const arena = await arenaOf(3000);
    expect(await triggersOf(arena, 0.15)).toEqual([]);
    expect(arena.ledger.evaluations).toBe(0);
  });
});
