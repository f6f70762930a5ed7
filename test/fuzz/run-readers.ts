/** @file The readers of run folders on damaged ones: each is listed, printed and reported. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../src/core/random.js';
import { indexedRun, indexPage } from '../../src/report/index-page.js';
import { runPage } from '../../src/report/page.js';
import { openRun } from '../../src/report/reported-run.js';
import { viewRun } from '../../src/runs/read-run.js';
import { describeRun, describeRuns } from '../../src/tui/plain-text.js';
import { listRuns } from '../../src/tui/run-list.js';
import { snapshotOf } from '../../src/tui/run-source.js';
import { imageRun, textRun, tuneRun } from '../helpers/example-runs.js';
import type { Attempt } from '../helpers/fuzz.js';
import { mutateBytes, mutateValue } from '../helpers/mutate.js';

type Files = ReadonlyMap<string, Uint8Array>;

/** @param place - an empty folder */
export async function runAttempts(place: string): Promise<{ run: Attempt }> {
  const origins = join(place, 'origins');
  const runs = [textRun(origins), await imageRun(origins), tuneRun(origins)].map(filesOf);
  const parent = join(place, 'damaged');
  return {
    run: async (random) => {
      rmSync(parent, { recursive: true, force: true });
      const path = join(parent, 'run');
      for (const [name, data] of damaged(random.pick(runs), random)) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        writeFileSync(join(path, name), data);
      }
      describeRuns(listRuns(parent), parent);
      describeRun(snapshotOf(viewRun(path)));
      const run = openRun(path);
      await runPage(run);
      indexPage([{ ...(await indexedRun(run)), link: 'run/report.html' }]);
    },
  };
}

function filesOf(run: string): Files {
  const names = readdirSync(run, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(run.length + 1));
  // No Buffers: a slice of one is no copy.
  return new Map(names.map((name) => [name, Uint8Array.from(readFileSync(join(run, name)))]));
}

/** One file of all, mostly the log, with faults in its bytes or in its values. */
function damaged(files: Files, random: Random): Files {
  const name = random.uniform() < 0.7 ? 'events.jsonl' : random.pick([...files.keys()]);
  const data = files.get(name)!;
  const isText = /\.jsonl?$/.test(name);
  return new Map(files).set(
    name,
    isText && random.uniform() < 0.7 ? mutateLines(data, name, random) : mutateBytes(data, random),
  );
}

/** Another value in the JSON of one line of a log, or of a whole file. */
function mutateLines(data: Uint8Array, name: string, random: Random): Uint8Array {
  const text = Buffer.from(data).toString('utf8').trimEnd();
  const lines = name.endsWith('l') ? text.split('\n') : [text];
  const at = random.integer(lines.length);
  lines[at] = JSON.stringify(mutateValue(JSON.parse(lines[at]!), random)) ?? '';
  return Buffer.from(`${lines.join('\n')}\n`);
}
