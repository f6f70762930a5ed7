/**
 * What runs of a million events take to be looked at: seconds and largest memory of the built program.
 *
 *   npx tsx bench/tui/million.ts [--events 1000000] [--kind candidate]
 *
 * Each log has one kind of event; `view` prints it, `report` writes its page. Linux, for the memory.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeEvent } from '../../src/runs/event-codec.js';
import type { EventBody, RunEvent } from '../../src/runs/events.js';
import { createRunFolder } from '../../src/runs/run-folder.js';
import { explained, scored } from '../../test/helpers/example-runs.js';

const { values: flags } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, kind: { type: 'string' } },
});

/** As long as twelve tokens are. */
const text = (i: number) => ` text ${i} as long as twelve tokens are, give or take`;
const ids = Array(12).fill(1234);
const candidate = (i: number, z: number): EventBody => ({
  kind: 'candidate',
  source: 'search',
  operator: 'swap',
  candidate: { text: text(i), token_ids: ids, cross_entropy: i / 1e6, raw: z, z, margin: 1, rank: 1 },
});
const fraction = (value: number): number => value - Math.floor(value);
const progress = { rate: 9, rate_unit: 'evaluations', seconds_left: 1, total: null } as const;

const kinds: Readonly<Record<string, (i: number) => EventBody>> = {
  // Most leave the frontier again, or none does.
  candidate: (i) => candidate(i, 5 * fraction(i * 0.618)),
  'candidate on the frontier': (i) => candidate(i, i / 1e6),
  frame: (i) => ({ kind: 'frame', file: `frames/${i}.png`, step: i, activation: fraction(i * 0.618) }),
  step: (i) => ({
    kind: 'step',
    source: 'search',
    step: i,
    metrics: { reward: i, kl: 1 / (i + 1), loss: fraction(i * 0.618), entropy: 2.5 },
  }),
  'step with samples': (i) => ({
    kind: 'step',
    source: 'search',
    step: i,
    metrics: { reward: i },
    samples: [scored('a sample', 3, i)],
  }),
  warning: (i) => ({ kind: 'warning', message: `warning ${i}` }),
  progress: (i) => ({ kind: 'progress', source: 'search', budget: 'evaluations', done: i, ...progress }),
  explained: (i) => ({ kind: 'explained', explanation: explained(scored(`an${i}`, 3, 4), 'L2.H5') }),
};

function writeLog(folder: string, make: (i: number) => EventBody, count: number): string {
  const run = createRunFolder(folder, {
    command: [],
    job: { task: 'text', unit: 'L2.H5' },
    versions: {},
    model: null,
  });
  run.close();
  const bodies = 10_000;
  for (let start = 0; start < count; start += bodies) {
    const lines = Array.from({ length: Math.min(bodies, count - start) }, (_, i) =>
      encodeEvent({ ...make(start + i), at: (start + i) / 100 } as RunEvent),
    );
    appendFileSync(join(run.path, 'events.jsonl'), `${lines.join('\n')}\n`);
  }
  return run.path;
}

/** Seconds and MB of a command of the built program; NaN for one that failed. */
async function measure(...args: string[]): Promise<{ seconds: number; peak: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, ['dist/cli/bin.js', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  const look = setInterval(() => {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    peak = Math.max(peak, Number(kilobytes ?? 0) / 1024);
  }, 50);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(look);
  return { seconds: code === 0 ? (performance.now() - began) / 1000 : Number.NaN, peak };
}

const table: Record<string, Record<string, string>> = {};
for (const [name, make] of Object.entries(kinds)) {
  if (flags.kind !== undefined && flags.kind !== name) continue;
  const folder = mkdtempSync(join(tmpdir(), 'superstim-bench-long-'));
  try {
    const run = writeLog(folder, make, Number(flags.events));
    const [view, report] = [await measure('view', run), await measure('report', run)];
    table[name] = {
      'log, MB': (statSync(join(run, 'events.jsonl')).size / 1e6).toFixed(0),
      'view, s': view.seconds.toFixed(1),
      'view, MB': view.peak.toFixed(0),
      'report, s': report.seconds.toFixed(1),
      'report, MB': report.peak.toFixed(0),
    };
    console.table({ [name]: table[name] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.table(table);
