/** @file What watching a search costs it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { palette } from '../../src/media/color.js';
import { readRun } from '../../src/runs/read-run.js';
import { listRuns, selectRuns } from '../../src/tui/run-list.js';
import { TerminalSession } from '../../tools/terminal-session.js';
import { median, spread } from './spread.js';

const BEGIN_FRAME = '\x1b[?2026h';
/** The state of a run that is over: the word in its own colour. */
const DONE = new RegExp(`${palette.good.join(';')}m done`);

/** The same search, `rounds` times each way in turn. Seconds are those of the search, without loading the model. */
export async function measureLive(folder: string, unit: string, evaluations: number, rounds: number) {
  const plain: number[] = [];
  const tui: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Which comes first changes, so that what the machine does over time meets both.
    for (const watched of round % 2 === 0 ? [false, true] : [true, false]) {
      const { seconds, frames } = await search(folder, unit, evaluations, watched);
      (watched ? tui : plain).push(seconds);
      if (watched) rates.push(frames / seconds);
    }
  }
  const slowdown = plain.map((seconds, i) => 100 * (tui[i]! / seconds - 1));
  return {
    plain: spread(plain),
    tui: spread(tui),
    slowdown: { ...spread(slowdown), median: median(slowdown) },
    framesPerSecond: spread(rates),
    run: selectRuns(listRuns(folder), '', 'newest')[0]!.path,
  };
}

async function search(folder: string, unit: string, evaluations: number, watched: boolean) {
  const flags = ['text', '--unit', unit, '--evaluations', String(evaluations), '--out', folder];
  const session = new TerminalSession([...flags, ...(watched ? ['--tui'] : [])], {
    columns: 120,
    rows: 36,
    // A terminal is another program, with its own cost.
    emulate: false,
  });
  if (watched) while (!DONE.test(session.output)) await sleep(50);
  const frames = session.output.split(BEGIN_FRAME).length - 1;
  session.type('q');
  if ((await session.ended) !== 0) throw new Error(`the search failed:\n${session.output}`);
  const { events } = readRun(selectRuns(listRuns(folder), '', 'newest')[0]!.path);
  return { seconds: events.at(-1)!.at, frames };
}
