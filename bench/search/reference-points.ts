/**
 * The points that EPO in PyTorch reached on stories260k (300 iterations, 8 members, 32 children; no BOS, 12 free tokens,
 * last position, the raw activation and the raw norm), beside what `auto` finds by the same definitions in less time.
 *
 *   npx tsx bench/search/reference-points.ts [--model ../shared/models/stories260k] [--seed 0] [--share 1]
 *     [--round-trips]
 *
 * `--share`: of EPO's shortest time. Three things are made for this comparison: sequences begin with a free token in
 * the place of BOS, the first ones are the model's own texts with BOS cut off, and, as in EPO, tokens count that
 * encoding the text would not give (`--round-trips`: they do not, as everywhere else here). Cross entropy is over the 11
 * tokens that have one before them, as in EPO.
 */
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { eventClock, finishRun, stamped } from '../../src/runs/events.js';
import { batchFor, callBatch } from '../../src/text/lm/batch-size.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject, type TextSubject } from '../../src/text/lm/subject.js';
import type { HeadMeasure } from '../../src/text/readouts/head-measures.js';
import { Probe } from '../../src/text/readouts/probe.js';
import { calibrate, resolveUnits } from '../../src/text/readouts/session.js';
import { Sampler } from '../../src/text/sampling/sampler.js';
import { auto } from '../../src/text/search/auto.js';
import { parentsOf } from '../../src/text/search/breeding.js';
import { drive } from '../../src/text/search/drive.js';
import { Proposer } from '../../src/text/search/proposals.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: '../shared/models/stories260k' },
    seed: { type: 'string', default: '0' },
    share: { type: 'string', default: '1' },
    'round-trips': { type: 'boolean', default: false },
  },
});

interface Reference {
  readonly unit: string;
  readonly measure: HeadMeasure;
  /** The shortest run of EPO. */
  readonly seconds: number;
  readonly points: readonly (readonly [crossEntropy: number, raw: number])[];
}

const references: readonly Reference[] = [
  {
    unit: 'L2.N10',
    measure: 'delta',
    seconds: 16,
    points: [
      [2.0, 2.97],
      [2.9, 3.53],
      [3.8, 4.09],
      [5.4, 4.61],
      [8.6, 5.39],
    ],
  },
  {
    unit: 'L2.H3',
    measure: 'raw',
    seconds: 38,
    points: [
      [2.0, 0.87],
      [2.3, 1.06],
      [2.9, 1.11],
      [3.6, 1.13],
    ],
  },
];

const POSITIONS = 12;

const withBos = await loadTextModel(flags.model);
const modelHash = await hashModel(flags.model);
const subject = openSubject(withBos, 'onnx');
/** The same model, whose texts begin without BOS. */
const withoutBos: TextSubject = {
  ...subject,
  tokenizer: Object.create(withBos.tokenizer, {
    bos: { value: null },
    ...(!flags['round-trips'] && { roundTrips: { value: () => true } }),
  }),
};

for (const reference of references) {
  const { frontier, seconds, evaluations } = await search(reference);
  console.log(
    `${reference.unit}: ${evaluations} evaluations in ${seconds.toFixed(1)} s, EPO ${reference.seconds} s or more`,
  );
  for (const [crossEntropy, raw] of reference.points) {
    const best = frontier
      .filter((one) => one.cross_entropy <= crossEntropy)
      .reduce((a, b) => (b.raw > a.raw ? b : a), {
        raw: Number.NEGATIVE_INFINITY,
        cross_entropy: 0,
        text: '',
      });
    console.log(
      `  at most ${crossEntropy} nats: ${best.raw.toFixed(2)} at ${best.cross_entropy.toFixed(2)}, EPO ${raw}  ${best.raw > raw ? 'above' : 'BELOW'}  ${JSON.stringify(best.text)}`,
    );
  }
}
process.exit();

async function search({ unit: name, measure, seconds }: Reference) {
  const { spec, tokenizer } = withoutBos;
  const session = {
    model: withBos,
    modelHash,
    measure,
    seed: Number(flags.seed),
    ...({ engine: 'onnx', at: 'last', reference: 'none' } as const),
  };
  const units = resolveUnits(name, session);
  const clock = eventClock();
  const calibration = await finishRun(calibrate(session, clock));
  const probe = await Probe.create({
    subject,
    ...units,
    calibration,
    at: 'last',
  });
  const turn = batchFor(spec.dModel, POSITIONS);
  const batch = callBatch(turn);
  const shared = { subject, batch, parents: parentsOf(turn) };
  const inside = await Sampler.create({ ...shared, positions: POSITIONS });
  const whole = await Sampler.create({ ...shared, positions: POSITIONS + 1 });
  const driven = await finishRun(
    stamped(
      drive(auto, {
        arena: {
          subject: withoutBos,
          probe,
          turn,
          batch,
          positions: POSITIONS,
          quiet: null,
          sampler: {
            get tokensRead() {
              return inside.tokensRead;
            },
            rewrite: (...drafts) => inside.rewrite(...drafts),
            sample: async (count, random) => {
              const rows = await whole.sample(count, random);
              return rows.filter((_, i) => i % (POSITIONS + 1) !== 0);
            },
          },
          proposer: new Proposer({ probe, positions: POSITIONS, batch: 8, asked: 8, count: 256 }),
          random: Random.of(session.seed, 'search'),
        },
        budget: { seconds: Number(flags.share) * seconds },
        signal: undefined,
        source: 'search',
        note: 'auto',
      }),
      clock,
    ),
  );
  const frontier = driven.arena.frontier.members.map(({ ids, report }) => ({
    ...report,
    text: tokenizer.decode(ids),
  }));
  return { frontier, seconds: driven.seconds, evaluations: driven.arena.ledger.evaluations };
}
