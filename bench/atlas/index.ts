/**
 * @file What one search for all units is worth against one search per unit: hypervolume, geometric mean over units, by
 * evaluations in all. Counted, not timed: any machine gives the same.
 *
 * Usage: npx tsx bench/atlas/index.ts MODEL PATTERN [--seeds 0,1] [--atlas N,N] [--pool N,N] [--auto N,N] [--every K]
 *        [--out FILE]
 *
 * `--auto` are evaluations a unit, of every K-th unit; `--pool` is samples of the model alone, scored for all units. A line
 * of FILE is a run, of `--auto` one of a unit; runs that are in it are not made again.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { finishRun } from '../../src/runs/events.js';
import type { AtlasOptions } from '../../src/text/atlas/atlas-options.js';
import { driveAtlas } from '../../src/text/atlas/drive-atlas.js';
import { checkAtlas, openArena } from '../../src/text/atlas/open-arena.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject } from '../../src/text/lm/subject.js';
import { calibrate } from '../../src/text/readouts/session.js';
import { searchText } from '../../src/text/search/search.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '0' },
    atlas: { type: 'string', default: '' },
    pool: { type: 'string', default: '' },
    auto: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const [name, pattern] = positionals as [string, string];
const folder = existsSync(name) ? name : `${embeddedFolder}/${name}`;
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const every = Number(values.every);

const model = await loadTextModel(folder);
const probed = {
  model,
  modelHash: await hashModel(folder),
  engine: 'onnx' as const,
  measure: 'delta' as const,
  at: 'max' as const,
  reference: 'layer' as const,
};
const options = (evaluations: number, seed: number): AtlasOptions => ({
  ...probed,
  seed,
  units: [pattern],
  length: 12,
  budget: { evaluations },
});
const subject = openSubject(model, 'onnx');
const plan = checkAtlas(options(1, 0));
const names = plan.sets.flatMap(({ group, indices }) => indices.map((i) => group.unit(i).name));

/** Hypervolumes of all units. */
async function shared(evaluations: number, seed: number, isPool: boolean): Promise<number[]> {
  const calibration = await finishRun(calibrate({ ...probed, seed, groups: plan.groups }));
  const { arena, dispose } = await openArena(options(evaluations, seed), subject, plan, calibration);
  const { turn, sampler, random } = arena.options;
  if (isPool)
    while (arena.ledger.left > 0)
      await arena.evaluate(await sampler.sample(turn, random), Array(turn).fill('prior'));
  else for await (const _ of driveAtlas(arena, options(evaluations, seed)));
  await dispose();
  return arena.units.map(({ hypervolume }) => hypervolume);
}

async function single(evaluations: number, seed: number, unit: string): Promise<number> {
  const search = {
    ...probed,
    seed,
    unit,
    length: 12,
    method: 'auto',
    baseline: false,
    finalists: 0,
  } as const;
  return (await finishRun(searchText({ ...search, budget: { evaluations } }))).hypervolume;
}

const known = new Map<string, number[]>();
if (values.out !== undefined && existsSync(values.out))
  for (const line of readFileSync(values.out, 'utf8').split('\n').filter(Boolean)) {
    const { found, ...run } = JSON.parse(line) as { found: number[] };
    known.set(JSON.stringify(run), found);
  }

/** Hypervolumes of a run, from the file where it has them. */
async function kept(run: object, make: () => Promise<number[]>): Promise<number[]> {
  const key = { model: name, pattern, ...run };
  const before = known.get(JSON.stringify(key));
  const found = before ?? (await make());
  if (!before && values.out !== undefined)
    appendFileSync(values.out, `${JSON.stringify({ ...key, found })}\n`);
  return found;
}

function mean(hypervolumes: readonly number[]): number {
  const logs = hypervolumes.map((value) => Math.log(Math.max(0.01, value)));
  return Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
}

for (const seed of numbers(values.seeds)) {
  for (const what of ['atlas', 'pool'] as const)
    for (const evaluations of numbers(values[what])) {
      const run = { what, evaluations, seed };
      const all = await kept(run, () => shared(evaluations, seed, what === 'pool'));
      const some = all.filter((_, i) => i % every === 0);
      console.log(JSON.stringify({ ...run, all: mean(all), some: mean(some) }));
    }
  for (const evaluations of numbers(values.auto)) {
    const found: number[] = [];
    for (const unit of names.filter((_, i) => i % every === 0))
      found.push(
        ...(await kept({ what: 'auto', evaluations, seed, unit }, async () => [
          await single(evaluations, seed, unit),
        ])),
      );
    console.log(JSON.stringify({ what: 'auto', evaluations, seed, some: mean(found), units: found.length }));
  }
}
process.exit(0);
