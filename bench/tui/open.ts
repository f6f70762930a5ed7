/** @file How soon a run is on the screen, and how soon a key is answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TerminalSession } from '../../tools/terminal-session.js';
import { median } from './spread.js';

const ROUNDS = 3;
const KEYS = 40;
/** Down, a page down, up, a page up: each moves the selection. */
const MOVES = ['\x1b[B', '\x1b[6~', '\x1b[A', '\x1b[5~'];

/** Milliseconds from the start of the program to the first whole screen, and from a key to what it draws. */
export async function measureOpening(path: string) {
  const opened: number[] = [];
  const answered: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const session = new TerminalSession(['view', path], { columns: 120, rows: 36 });
    await session.sees(/candidates, by[\s\S]*q leave/);
    opened.push(performance.now() - start);
    await session.rests();
    for (let i = 0; i < KEYS; i++) {
      answered.push(await timeKey(session, MOVES[i % MOVES.length]!));
      await sleep(40);
    }
    session.type('q');
    await session.ended;
  }
  return {
    'opened, ms': Math.round(median(opened)),
    'slowest opening, ms': Math.round(Math.max(...opened)),
    'key to redraw, ms': Math.round(median(answered)),
    'slowest redraw, ms': Math.round(Math.max(...answered)),
  };
}

async function timeKey(session: TerminalSession, key: string): Promise<number> {
  const before = session.output.length;
  const start = performance.now();
  session.type(key);
  while (session.output.length === before) await new Promise(setImmediate);
  return performance.now() - start;
}
