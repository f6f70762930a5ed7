/**
 * @file What one search for all units is worth against one search per unit: hypervolume, geometric mean over units, by
 * evaluations in all. Counted, not timed: any machine gives the same.
 *
 * Usage: npx tsx bench/atlas/index.ts MODEL PATTERN [--atlas N,N] [--pool N,N] [--auto N,N [--every K]] [--out FILE]
 *
 * `--auto` are evaluations a unit, of every K-th unit; `--pool` is samples of the model alone, scored for all units.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
/** Seed of every search. */
const SEED = 0;

async function main(): Promise<void> {
  const model = await loadTextModel(folder);
  const modelHash = await hashModel(folder);
  const named = { engine: 'onnx', measure: 'delta', at: 'max', reference: 'layer', seed: SEED } as const;
  const probed = { ...named, model, modelHash };
  const options = (evaluations: number): AtlasOptions => ({
    ...probed,
    units: [pattern],
    length: 12,
    budget: { evaluations },
  });
  const subject = openSubject(model, 'onnx');
  const plan = checkAtlas(options(1));
  const calibration = await finishRun(calibrate({ ...probed, groups: plan.groups }));
  const every = Number(values.every);

  /** Of all units, and of those that single searches are made for. */
  async function shared(evaluations: number, isPool: boolean) {
    const { arena, dispose } = await openArena(options(evaluations), subject, plan, calibration);
    const { turn } = arena.options;
    if (isPool)
      while (arena.ledger.left > 0)
        await arena.evaluate(await arena.samplePrior(turn), Array(turn).fill('prior'));
    else for await (const _ of driveAtlas(arena, options(evaluations)));
    await dispose();
    const all = arena.units.map(({ hypervolume }) => hypervolume);
    return { all: mean(all), some: mean(all.filter((_, i) => i % every === 0)) };
  }
  async function single(evaluations: number) {
    const units = plan.sets
      .flatMap(({ group, indices }) => indices.map((i) => group.unit(i).name))
      .filter((_, i) => i % every === 0);
    const found: number[] = [];
    for (const unit of units) {
      const search = { ...probed, unit, length: 12, method: 'auto', baseline: false, finalists: 0 } as const;
      found.push((await finishRun(searchText({ ...search, budget: { evaluations } }))).hypervolume);
    }
    return { some: mean(found), units: found.length };
  }

  const found: Record<string, unknown>[] = [];
  const keep = (row: Record<string, unknown>) => {
    console.log(JSON.stringify(row));
    found.push({ model: name, pattern, ...row });
    if (values.out === undefined) return;
    const before = existsSync(values.out) ? (JSON.parse(readFileSync(values.out, 'utf8')) as unknown[]) : [];
    writeFileSync(values.out, `${JSON.stringify([...before, found.at(-1)], null, 1)}\n`);
  };
  for (const evaluations of numbers(values.atlas))
    keep({ what: 'atlas', evaluations, ...(await shared(evaluations, false)) });
  for (const evaluations of numbers(values.pool))
    keep({ what: 'pool', evaluations, ...(await shared(evaluations, true)) });
  for (const evaluations of numbers(values.auto))
    keep({ what: 'auto', evaluationsAUnit: evaluations, ...(await single(evaluations)) });
}

function mean(hypervolumes: readonly number[]): number {
  const logs = hypervolumes.map((value) => Math.log(Math.max(0.01, value)));
  return Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
}

await main();
process.exit(0);
