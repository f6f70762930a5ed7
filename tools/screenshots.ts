/**
 * Pictures of every screen of the terminal UI, made from what the built program writes to a pseudo-terminal.
 *
 *   npx tsx tools/screenshots.ts RUNS [--out docs/images] [--size 110x34] [--only search,edit]
 *
 * RUNS is a folder with a run of `text`, of `image` and of `tune`; the newest of each is shown.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { listRuns, selectRuns } from '../src/tui/run-list.js';
import { TerminalSession } from './terminal-session.js';
import { terminalSvg } from './terminal-svg.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'docs/images' },
    size: { type: 'string', default: '110x34' },
    only: { type: 'string' },
  },
});
/** Pixels to one of the drawing. */
const SCALE = 1.5;
const [columns = 110, rows = 34] = flags.size.split('x').map(Number);
const folder = resolve(positionals[0] ?? 'runs');
/** Paths on the screen are those from here. */
const home = dirname(folder);
const runs = selectRuns(listRuns(folder), '', 'newest');

/** What is typed, and the words that show that it has come about. */
type Step = readonly [keys: string, sees: string | RegExp];
interface Scene {
  readonly path: string;
  readonly steps: readonly Step[];
}

const DOWN = '\x1b[B';
const newest = (task: string, index = 0) => runs.filter((run) => run.task === task)[index]?.path;
const texts: Step = ['', /candidates, by/];
const candidate: readonly Step[] = [texts, [`${DOWN}${DOWN}${DOWN}`, /./], ['\r', /with another/]];
const scenes: Readonly<Record<string, Scene | false>> = {
  runs: { path: folder, steps: [['', 'runs in']] },
  search: at(newest('text'), [texts, [DOWN.repeat(5), /./]]),
  candidate: at(newest('text'), candidate),
  edit: at(newest('text'), [...candidate, ['e', 'editing'], [' Why did you', /Why did you [\s\S]*·Why/]]),
  help: at(newest('text'), [texts, ['?', 'to the shell']]),
  image: at(newest('image'), [['', 'frame']]),
  tune: at(newest('tune'), [['', /samples/]]),
  'compare-texts': at(newest('text'), [texts, [`${DOWN} G`, /./], ['c', /rivals[\s\S]*rivals/]]),
  'compare-runs': newest('text', 1) !== undefined && {
    path: folder,
    steps: [
      ['', 'runs in'],
      ['/text\r', /text/],
      [` ${DOWN}c`, 'frontiers'],
    ],
  },
};

function at(path: string | undefined, steps: readonly Step[]): Scene | false {
  return path !== undefined && { path, steps };
}

mkdirSync(flags.out, { recursive: true });
for (const [name, scene] of Object.entries(scenes)) {
  if (flags.only && !flags.only.split(',').includes(name)) continue;
  if (!scene) {
    console.error(`${name}: ${folder} has no run for it`);
    continue;
  }
  const session = new TerminalSession(['view', relative(home, scene.path)], { columns, rows, folder: home });
  for (const [keys, sees] of scene.steps) {
    session.type(keys);
    await session.sees(sees);
  }
  await session.rests();
  const file = join(flags.out, `tui-${name}.png`);
  const picture = sharp(Buffer.from(terminalSvg(session.terminal)), { density: 72 * SCALE });
  writeFileSync(file, await picture.png({ palette: true, colours: 128 }).toBuffer());
  console.log(file);
  session.type('\x03');
  await session.ended;
}
