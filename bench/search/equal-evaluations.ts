/**
 * Hypervolume of search methods on units chosen by seed, at equal numbers of evaluations: repeatable, whatever else the
 * machine does.
 *
 *   npx tsx bench/search/equal-evaluations.ts [--model models/books-lm] [--evaluations 3000] [--heads 4] [--neurons 4]
 *     [--units L1.H2,L3.N4] [--seeds 0,1] [--methods auto,evolve,prior,epo] [--at max] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hypervolume as areaOf } from '../../src/core/frontier.js';
import type { ScoredText } from '../../src/core/scored-text.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import type { SequenceScore } from '../../src/text/names.js';
import { type SearchMethodName, searchText } from '../../src/text/search/search.js';
import { chooseUnits } from './units.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/books-lm' },
    evaluations: { type: 'string', default: '3000' },
    heads: { type: 'string', default: '4' },
    neurons: { type: 'string', default: '4' },
    units: { type: 'string' },
    seeds: { type: 'string', default: '0,1' },
    methods: { type: 'string', default: 'auto,evolve,prior,epo' },
    at: { type: 'string', default: 'max' },
    json: { type: 'string' },
  },
});

const model = await loadTextModel(flags.model);
const modelHash = await hashModel(flags.model);
const methods = flags.methods.split(',') as SearchMethodName[];
const at = flags.at as SequenceScore;
const units =
  flags.units?.split(',') ?? chooseUnits(model.spec, Number(flags.heads), Number(flags.neurons), 0);

interface Row {
  unit: string;
  seed: number;
  hypervolume: Record<string, number>;
  seconds: Record<string, number>;
  /** The strongest text under 4 nats, and the strongest under 6. */
  fluent: Record<string, ScoredText | undefined>;
  strongest: Record<string, ScoredText | undefined>;
}

const strongestUnder = (frontier: readonly ScoredText[], nats: number): ScoredText | undefined =>
  frontier.filter((text) => text.cross_entropy < nats).sort((a, b) => b.z - a.z)[0];

const rows: Row[] = [];
/** By unit, what the first method found with every seed. */
const found = new Map<string, ScoredText[]>(units.map((unit) => [unit, []]));
for (const seed of flags.seeds.split(',').map(Number)) {
  for (const unit of units) {
    const row: Row = { unit, seed, hypervolume: {}, seconds: {}, fluent: {}, strongest: {} };
    for (const method of methods) {
      const { hypervolume, cost, frontier } = await finishRun(
        searchText({
          model,
          modelHash,
          unit,
          method,
          seed,
          engine: 'onnx',
          measure: 'delta',
          at,
          reference: 'layer',
          length: 12,
          budget: { evaluations: Number(flags.evaluations) },
          baseline: false,
          finalists: 0,
        }),
      );
      row.hypervolume[method] = hypervolume;
      row.seconds[method] = cost.seconds;
      row.fluent[method] = strongestUnder(frontier, 4);
      row.strongest[method] = strongestUnder(frontier, 6);
      if (method === methods[0]) found.get(unit)!.push(...frontier);
    }
    rows.push(row);
    const cells = methods.map(
      (m) => `${m} ${row.hypervolume[m]!.toFixed(1)} (${row.seconds[m]!.toFixed(1)} s)`,
    );
    const fluent = row.fluent[methods[0]!];
    const best = fluent
      ? `${fluent.z.toFixed(1)} at ${fluent.cross_entropy.toFixed(1)} nats: ${JSON.stringify(fluent.text)}`
      : 'no text under 4 nats';
    console.log([String(seed), unit.padEnd(9), ...cells, best].join('  '));
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const [first, ...others] = methods as [SearchMethodName, ...SearchMethodName[]];
const summary = {
  evaluations: Number(flags.evaluations),
  hypervolume: Object.fromEntries(methods.map((m) => [m, mean(rows.map((row) => row.hypervolume[m]!))])),
  seconds: Object.fromEntries(methods.map((m) => [m, mean(rows.map((row) => row.seconds[m]!))])),
  /** Mean over units and seeds of the first method's hypervolume over each other's. */
  ratio: Object.fromEntries(
    others.map((m) => [m, mean(rows.map(({ hypervolume }) => hypervolume[first]! / hypervolume[m]!))]),
  ),
  /** Geometric mean of the hypervolume of all seeds' frontiers together over that of one, of the first method. */
  union: Math.exp(
    mean(rows.map(({ unit, hypervolume }) => Math.log(areaOf(found.get(unit)!) / hypervolume[first]!))),
  ),
  /** How often the first method has the largest. */
  best: mean(
    rows.map(({ hypervolume }) => (others.every((m) => hypervolume[first]! >= hypervolume[m]!) ? 1 : 0)),
  ),
  /** How often the first method's text under 4 nats excites the unit more than each other's strongest under 6. */
  fluentBeats: Object.fromEntries(
    others.map((m) => [
      m,
      mean(rows.map(({ fluent, strongest }) => ((fluent[first]?.z ?? 0) > (strongest[m]?.z ?? 0) ? 1 : 0))),
    ]),
  ),
};
console.log(summary);
if (flags.json) writeFileSync(flags.json, JSON.stringify({ summary, rows }, null, 1));
process.exit();
