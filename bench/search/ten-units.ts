/**
 * Hypervolume of each search method on units chosen by seed, at equal numbers of evaluations.
 *
 *   npx tsx bench/search/ten-units.ts --model ../shared/models/stories260k [--evaluations 20000] [--heads 5]
 *     [--neurons 5] [--seed 0] [--methods evolve,epo] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../../src/engine/random.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel } from '../../src/text/model.js';
import { type SearchMethodName, type SearchResult, searchText } from '../../src/text/search/search.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/books-lm' },
    evaluations: { type: 'string', default: '20000' },
    heads: { type: 'string', default: '5' },
    neurons: { type: 'string', default: '5' },
    seed: { type: 'string', default: '0' },
    methods: { type: 'string', default: 'evolve,epo' },
    json: { type: 'string' },
  },
});

const model = await loadTextModel(flags.model);
const modelHash = await hashModel(flags.model);
const seed = Number(flags.seed);
const random = Random.of(seed, 'units');
const { layers, heads, dMlp } = model.spec;
const draw = (count: string, name: () => string) => Array.from({ length: Number(count) }, name);
const units = [
  ...draw(flags.heads, () => `L${random.integer(layers)}.H${random.integer(heads)}`),
  ...draw(flags.neurons, () => `L${random.integer(layers)}.N${random.integer(dMlp)}`),
];
const methods = flags.methods.split(',') as SearchMethodName[];

/** Text under 4 nats that excites the unit more than the best prior sample does. */
function beatsPriorFluently({ frontier, baselines }: SearchResult): boolean {
  const rival = baselines.prior_best?.z ?? Number.NEGATIVE_INFINITY;
  return frontier.some(({ cross_entropy, z }) => cross_entropy < 4 && z > rival);
}

interface Row {
  unit: string;
  prior: number;
  hypervolume: Record<string, number>;
  seconds: Record<string, number>;
  beatsPrior: boolean;
  texts: string[];
}

const rows: Row[] = [];
for (const unit of units) {
  const row: Row = { unit, prior: 0, hypervolume: {}, seconds: {}, beatsPrior: false, texts: [] };
  for (const method of methods) {
    const result = await finishRun(
      searchText({
        model,
        modelHash,
        engine: 'onnx',
        measure: 'delta',
        at: 'max',
        reference: 'layer',
        seed,
        unit,
        method,
        length: 12,
        budget: { evaluations: Number(flags.evaluations) },
        // One set of prior samples is enough to compare with.
        baseline: method === 'evolve',
        finalists: 0,
      }),
    );
    row.hypervolume[method] = result.hypervolume;
    row.seconds[method] = result.cost.seconds;
    if (method === 'evolve') {
      row.prior = result.baselines.prior_best?.hypervolume ?? 0;
      row.beatsPrior = beatsPriorFluently(result);
      const under = (limit: number) =>
        result.frontier
          .filter(({ cross_entropy }) => cross_entropy < limit)
          .reduce((a, b) => (b.z > a.z ? b : a));
      row.texts = [2, 4, 6].map((limit) => `${under(limit).z.toFixed(1)} "${under(limit).text}"`);
    }
  }
  rows.push(row);
  const cells = methods.map(
    (m) => `${m} ${row.hypervolume[m]!.toFixed(1)} (${row.seconds[m]!.toFixed(1)} s)`,
  );
  console.log(
    [
      unit.padEnd(9),
      `prior ${row.prior.toFixed(1)}`,
      ...cells,
      row.beatsPrior ? 'beats prior under 4 nats' : '-',
      ...row.texts,
    ].join('  '),
  );
}

const mean = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
const summary = {
  evaluations: Number(flags.evaluations),
  prior: mean((row) => row.prior),
  hypervolume: Object.fromEntries(methods.map((m) => [m, mean((row) => row.hypervolume[m]!)])),
  seconds: Object.fromEntries(methods.map((m) => [m, mean((row) => row.seconds[m]!)])),
  evolveOverPrior: mean((row) => row.hypervolume.evolve! / row.prior),
  ...(methods.includes('epo') && {
    evolveOverEpo: mean((row) => row.hypervolume.evolve!) / mean((row) => row.hypervolume.epo!),
  }),
};
console.log(summary);
if (flags.json) writeFileSync(flags.json, JSON.stringify({ summary, rows }, null, 1));
process.exit();
