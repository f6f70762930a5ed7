/**
 * @file Tuned language models on units chosen by seed, beside the search at equal time: one row per unit.
 *
 *   npx tsx bench/rl/eight-units.ts --out DIR [--model models/books-lm] [--heads 6] [--neurons 2] [--seed 0]
 *     [--units N] [--steps 150] [--batch 128] [--rate 0.005] [--beta SIGMAS] [--kl-target NATS] [--method auto]
 *
 * Settings are the defaults of `superstim tune`. Finished units are kept in DIR/rows.jsonl: the same
 * command resumes with the others (with at most N more), and prints the table.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import type { ScoredText } from '../../src/core/scored-text.js';
import { formatTable } from '../../src/core/table.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { type TuneResult, tune } from '../../src/rl/tune.js';
import { priceOf, tuneDefaults } from '../../src/rl/tune-defaults.js';
import { finishRun } from '../../src/runs/events.js';
import { makeFolder } from '../../src/runs/files.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { type SearchMethodName, type SearchResult, searchText } from '../../src/text/search/search.js';

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string' },
    model: { type: 'string', default: 'models/books-lm' },
    heads: { type: 'string', default: '6' },
    neurons: { type: 'string', default: '2' },
    seed: { type: 'string', default: '0' },
    units: { type: 'string', default: 'Infinity' },
    steps: { type: 'string', default: `${tuneDefaults.steps}` },
    batch: { type: 'string', default: `${tuneDefaults.batch}` },
    rate: { type: 'string', default: `${tuneDefaults.learningRate}` },
    beta: { type: 'string' },
    'kl-target': { type: 'string' },
    method: { type: 'string', default: 'auto' },
  },
});
if (!flags.out) throw new Error('give --out');
makeFolder(flags.out);
const rowsFile = join(flags.out, 'rows.jsonl');

interface Row {
  unit: string;
  tuned: TuneResult;
  search: Pick<SearchResult, 'hypervolume' | 'cost'>;
  /** z of the strongest text under 6 nats. */
  best: { tuned: number; search: number };
}

const model = await loadTextModel(flags.model);
const modelHash = await hashModel(flags.model);
const seed = Number(flags.seed);
const random = Random.of(seed, 'units');
const { layers, heads, dMlp } = model.spec;
const units = new Set<string>();
const draw = (count: number, name: () => string) => {
  for (const full = units.size + count; units.size < full; ) units.add(name());
};
draw(Number(flags.heads), () => `L${random.integer(layers)}.H${random.integer(heads)}`);
draw(Number(flags.neurons), () => `L${random.integer(layers)}.N${random.integer(dMlp)}`);

const session = {
  model,
  modelHash,
  engine: 'onnx',
  measure: 'delta',
  at: 'max',
  reference: 'layer',
  seed,
  length: tuneDefaults.length,
} as const;
const given = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const price = priceOf(session.length, { beta: given(flags.beta), klTarget: given(flags['kl-target']) });
const { rank, alphaOfRank, targets, weightDecay, clipNorm } = tuneDefaults;

async function measure(unit: string): Promise<Row> {
  const tuned = await finishRun(
    tune({
      ...session,
      unit,
      steps: Number(flags.steps),
      batch: Number(flags.batch),
      learningRate: Number(flags.rate),
      weightDecay,
      clipNorm,
      lora: { rank, alpha: alphaOfRank * rank, targets },
      gradient: { baseline: 'loo', kl: 'k1', scaled: false },
      ...price,
      selectivity: 0,
      checkpointEvery: Number.POSITIVE_INFINITY,
    }),
  );
  const { frontier, ...search } = await finishRun(
    searchText({
      ...session,
      unit,
      method: flags.method as SearchMethodName,
      budget: { seconds: tuned.cost.seconds },
      baseline: false,
      finalists: 0,
    }),
  );
  const strongest = (texts: readonly ScoredText[]) =>
    Math.max(...texts.filter(({ cross_entropy }) => cross_entropy < 6).map(({ z }) => z));
  return {
    unit,
    tuned,
    search: { hypervolume: search.hypervolume, cost: search.cost },
    best: { tuned: strongest(tuned.frontier), search: strongest(frontier) },
  };
}

const read = (): Row[] =>
  existsSync(rowsFile)
    ? readFileSync(rowsFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row)
    : [];
const left = [...units].filter((unit) => !read().some((row) => row.unit === unit));
for (const unit of left.slice(0, Number(flags.units))) {
  appendFileSync(rowsFile, `${JSON.stringify(await measure(unit))}\n`);
  process.stderr.write(`${unit} done\n`);
}

const fixed = (value: number, digits = 1) => value.toFixed(digits);
const cells = ({ unit, tuned, search, best }: Row): string[] => {
  const { samples, prior_samples: prior, cost } = tuned;
  if (!samples) throw new Error(`${unit} was interrupted`);
  return [
    unit,
    `${fixed(prior.z, 2)} ± ${fixed(prior.z_deviation, 2)}`,
    `${fixed(samples.z, 2)} ± ${fixed(samples.z_deviation, 2)}`,
    fixed(samples.z - prior.z, 2),
    fixed((samples.z - prior.z) / prior.z_deviation, 2),
    `${fixed(100 * samples.unique, 0)} %`,
    fixed(samples.cross_entropy, 2),
    fixed(samples.kl),
    fixed(cost.seconds, 0),
    `${fixed(tuned.hypervolume)} / ${fixed(search.hypervolume)}`,
    `${fixed(best.tuned)} / ${fixed(best.search)}`,
  ];
};
const header =
  "unit|prior z|tuned z|gain|in deviations of the prior's|different|nats|KL|seconds|hypervolume, tuned / search|best z under 6 nats";
console.log(formatTable([header.split('|'), ...read().map(cells)]));
process.exit();
