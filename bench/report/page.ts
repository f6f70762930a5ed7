/** @file bench/README.md: one page of claims, each with its figure, its spread and where it comes from. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Series, searchClaims, strongerThanAuto } from '../search/claims.js';
import type { Recorded } from '../search/record.js';
import {
  type Claim,
  figureOf,
  isLost,
  type Measurement,
  readResultFile,
  readSource,
  type Source,
  valuesOf,
} from './result-file.js';

/** The areas of `bench`, in the order of the page. */
const areas = {
  engine: 'Engine',
  search: 'Search',
  atlas: 'Atlas',
  sweep: 'Sweeps',
  training: 'Training',
  rl: 'Tuning',
  image: 'Pictures',
  tui: 'Terminal UI',
} as const;

const intro = `<!-- Made by \`npm run bench:report\` from the result files in bench/*/results. Edit those, not this page. -->

# Benchmarks

## How to read it

- A figure is a median. Its spread goes from the least to the greatest value. The values are repetitions, units of a
  model or seeds, as the claim says. A figure without a spread was measured once.
- A claim with "against" is a ratio: our figure divided by the other one. For times a small ratio is good, for everything
  else a large one. Both sides ran in turn on the same machine, unless a source says otherwise. The machine was often
  shared, so ratios say more than times.
- _Hypervolume_ is the area between the frontier (cross entropy, z) and the corner (6 nats, z = 0), in nats times
  sigmas: [docs/search.md](../docs/search.md). For a model and a seed it is compared unit by unit, and the mean counts.
- Recorded searches of different seeds belong to different versions and have different numbers of units. The sources
  list both. So their spread is wider than chance alone would make it.
- The commit is the version that was measured. Before 2026-11-30 it can be the commit that recorded the figure.
- The machine has Node 20.20, onnxruntime-node 1.30, tfjs-node 4.22 (libtensorflow 2.9.1), and PyTorch 2.15 with two
  threads.
- What was tried and not kept: [docs/decisions](../docs/decisions/README.md).`;

const losing = `## Where we lose

Training a CNN takes longer than in PyTorch: a third longer at 32 and 48 pixels, about as long at 64, and half as long again as in
PyTorch's layout channels_last. Batch norm and max pools with their positions are one kernel each in PyTorch; here they are several
ONNX operations, and pictures are copied for the gradients of filters. Convolutions in float32 are at about what the processor can
do; those of VGG19 are in 8 bits for most steps, those of Inception v3 do not gain by it.

EPO finds the stronger text under 6 nats on some units, since it tries improbable pairs of tokens that the operators of
\`auto\` seldom write. \`auto\` is no better than \`evolve\` beyond chance. Where a few texts are wanted, tuning is worse
than a search; for one unit of eight it gains one sigma only. All methods for 60 seconds with three seeds were not run.

These are the claims above in which the other side is better:`;

/** The page. `root` is the folder `bench`. @throws Error that names the result file in which something is missing. */
export function benchPage(root: string): string {
  const searches = recorded(root);
  const sections = Object.entries(areas).map(([area, title]) => ({
    title,
    measurements: [
      ...(area === 'search' ? searches.flatMap(({ measurements }) => measurements) : []),
      ...resultFiles(join(root, area)).flatMap(readResultFile),
    ],
  }));
  const all = sections.flatMap(({ measurements }) => measurements);
  const sources = all
    .flatMap((measurement) => measurement.sources)
    .filter((one, i, list) => list.findIndex((other) => isSame(one, other)) === i);
  const table = (measurements: readonly Measurement[]) => claimTable(measurements, sources);
  return `${[
    intro,
    ...sections.map(({ title, measurements }) => `## ${title}\n\n${table(measurements)}`),
    losing,
    table(
      all
        .map(({ sources, claims }) => ({ sources, claims: claims.filter(isLost) }))
        .filter(({ claims }) => claims.length > 0),
    ),
    searches.map(strongSentence).join('\n'),
    '## Sources',
    sourceTable(sources),
  ].join('\n\n')}\n`;
}

/** Result files of an area, without what belongs to recorded searches. */
const resultFiles = (area: string) =>
  filesUnder(join(area, 'results')).filter(
    (path) => path.endsWith('.json') && !['about.json', 'summary.json'].includes(basename(path)),
  );

const filesUnder = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => join(folder, path));

/** The recorded searches, a model at a time. */
function recorded(root: string): { model: string; series: Series[]; measurements: Measurement[] }[] {
  const logs = filesUnder(join(root, 'search/results')).filter((path) => basename(path) === 'runs.jsonl');
  const series = logs.flatMap((path): Series[] => {
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as Recorded);
    const { note, ...source } = readSource(join(dirname(path), 'about.json'));
    const units = `${new Set(all.map(({ unit }) => unit)).size} units`;
    const described = { ...source, note: note ? `${units}, ${note}` : units };
    const seeds = [...new Set(all.map(({ seed }) => seed))];
    return seeds.map((seed) => ({ source: described, runs: all.filter((run) => run.seed === seed) }));
  });
  series.sort((a, b) => a.runs[0]!.seed - b.runs[0]!.seed);
  const models = [...new Set(series.map(({ runs }) => runs[0]!.model))].sort();
  return models.map((model) => {
    const own = series.filter(({ runs }) => runs[0]!.model === model);
    return { model, series: own, measurements: searchClaims(model, own) };
  });
}

function strongSentence({ model, series }: { model: string; series: readonly Series[] }): string {
  const counts = series.map(({ runs }) => strongerThanAuto(runs));
  const sum = (key: 'stronger' | 'units') => counts.reduce((total, count) => total + count[key], 0);
  return `- On ${model}, EPO's strongest text under 6 nats is stronger than that of \`auto\` in ${sum('stronger')} of ${sum('units')} searches (20 s, all seeds).`;
}

const isSame = (a: Source, b: Source) => a.command === b.command && a.commit === b.commit;

function claimTable(measurements: readonly Measurement[], sources: readonly Source[]): string {
  const rows = measurements.flatMap(({ sources: own, claims }) => {
    const numbers = own.map((one) => `[${1 + sources.findIndex((other) => isSame(one, other))}]`).join(' ');
    return claims.map((claim) => [claimText(claim), figureText(claim), spreadText(claim), numbers]);
  });
  return markdownTable(['claim', 'figure', 'spread', 'source'], rows);
}

const claimText = (claim: Claim) =>
  ['than' in claim ? `${claim.claim}, against ${claim.than}` : claim.claim, claim.note && `(${claim.note})`]
    .filter(Boolean)
    .join(' ');

function figureText(claim: Claim): string {
  const { median } = figureOf(claim);
  if ('values' in claim) return claim.unit ? `${numberText(median)} ${claim.unit}` : numberText(median);
  if ('ratios' in claim || claim.ours.length > 1) return median.toFixed(2);
  const [ours, theirs] = [claim.ours[0]!, claim.theirs[0]!].map((one) => one.toLocaleString('en'));
  return `${median.toFixed(2)} (${ours} and ${theirs} ${claim.unit})`;
}

function spreadText(claim: Claim): string {
  if (valuesOf(claim).length === 1) return '';
  const text = 'than' in claim ? (value: number) => value.toFixed(2) : numberText;
  const { least, most } = figureOf(claim);
  return `${text(least)} to ${text(most)}`;
}

const numberText = (value: number) =>
  Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2);

const sourceTable = (sources: readonly Source[]) =>
  markdownTable(
    ['', 'command', 'commit', 'date', 'machine'],
    sources.map(({ command, commit, date, machine, note }, i) => [
      `[${i + 1}]`,
      `\`${command}\``,
      commit,
      date,
      note ? `${machine}; ${note}` : machine,
    ]),
  );

const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
