/**
 * Search methods at equal seconds, on units chosen by seed.
 *
 *   npx tsx bench/search/index.ts [--model models/books-lm] [--methods prior,gcg,epo,evolve,auto] [--heads 16]
 *     [--neurons 16] [--seeds 0,1,2] [--marks 5,20,60] [--units L1.H2,L3.N4] [--corpus FILE] [--out FOLDER]
 *     [--report]
 *
 * Every run is appended to FOLDER/runs.jsonl as soon as it is done, and runs that are there are not made again: stop
 * it at any time and resume it later. `--report` only sums up what is there. Writes table.md, summary.json and chart.svg,
 * and, with the first run, about.json: command, commit, date and machine, for bench/README.md.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { hashModel } from '../../src/hub/model-hash.js';
import { corpusFiles } from '../../src/text/corpus/corpus-text.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { type SearchMethodName, searchMethods } from '../../src/text/search/search.js';
import type { Source } from '../report/result-file.js';
import { drawChart } from './chart.js';
import { type Recorded, recordSearch } from './record.js';
import { againstBest, formatRows, summarize, timeToReach } from './summary.js';
import { chooseUnits } from './units.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/books-lm' },
    methods: { type: 'string', default: 'prior,gcg,epo,evolve,auto' },
    heads: { type: 'string', default: '16' },
    neurons: { type: 'string', default: '16' },
    units: { type: 'string' },
    corpus: { type: 'string' },
    seeds: { type: 'string', default: '0,1,2' },
    marks: { type: 'string', default: '5,20,60' },
    out: { type: 'string' },
    report: { type: 'boolean', default: false },
  },
});

const folder = flags.out ?? join('bench/search/results', basename(flags.model));
const log = join(folder, 'runs.jsonl');
mkdirSync(folder, { recursive: true });
const readRuns = (): Recorded[] =>
  existsSync(log)
    ? readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Recorded)
    : [];

if (!flags.report) {
  describe(join(folder, 'about.json'));
  await runAll();
}
const runs = readRuns();
const rows = summarize(runs);
const reach = timeToReach(runs, 'auto', 'epo');
const best = againstBest(runs);
writeFileSync(join(folder, 'table.md'), `${formatRows(rows)}\n`);
writeFileSync(
  join(folder, 'summary.json'),
  `${JSON.stringify({ rows, against_best: best, auto_reaches_epo_in: reach }, null, 1)}\n`,
);
if (runs.length > 0) writeFileSync(join(folder, 'chart.svg'), drawChart(runs));
console.log(formatRows(rows));
console.log(best);
if (reach !== null)
  console.log(`auto reaches EPO's last hypervolume in ${(100 * reach).toFixed(1)} % of its time (median)`);
process.exit();

/** Says where the runs come from, unless an earlier part of them has. */
function describe(file: string): void {
  if (existsSync(file)) return;
  const source: Source = {
    command: ['npx tsx bench/search/index.ts', ...process.argv.slice(2)].join(' '),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${cpus()[0]!.model}`,
  };
  writeFileSync(file, `${JSON.stringify(source, null, 2)}\n`);
}

async function runAll(): Promise<void> {
  const model = await loadTextModel(flags.model);
  const modelHash = await hashModel(flags.model);
  const units =
    flags.units?.split(',') ?? chooseUnits(model.spec, Number(flags.heads), Number(flags.neurons), 0);
  const methods = flags.methods.split(',').map((name) => {
    if (!(name in searchMethods))
      throw new Error(`${name} is none of ${Object.keys(searchMethods).join(', ')}`);
    return name as SearchMethodName;
  });
  const corpus = flags.corpus && { naturalText: corpusFiles([flags.corpus]) };
  const marks = flags.marks.split(',').map(Number);
  const seconds = Math.max(...marks);
  const done = readRuns();
  // A seed and a unit at a time, all methods in turn: what else the machine does then meets all of them alike.
  for (const seed of flags.seeds.split(',').map(Number)) {
    for (const unit of units) {
      for (const method of methods) {
        const isThere = done.some(
          (run) => run.unit === unit && run.method === method && run.seed === seed && run.seconds === seconds,
        );
        if (isThere) continue;
        const recorded = await recordSearch({ model, modelHash, unit, method, seed, marks, ...corpus });
        appendFileSync(log, `${JSON.stringify(recorded)}\n`);
        const areas = recorded.marks.map((mark) => `${mark.seconds} s ${mark.hypervolume.toFixed(1)}`);
        console.log(`${seed} ${unit.padEnd(9)} ${method.padEnd(7)} ${areas.join('  ')}`);
      }
    }
  }
}
