/** @file How soon the figures of an edited text are there. */
import { TerminalSession } from '../../tools/terminal-session.js';
import { type Spread, spread } from './spread.js';

const EDITS = 12;

/** Milliseconds from a typed letter to the redraw with the figures of the changed text, the model being loaded. */
export async function measureEdits(run: string): Promise<Spread> {
  const session = new TerminalSession(['view', run], { columns: 120, rows: 36 });
  await session.sees(/candidates, by/);
  session.type('\r');
  await session.sees('with another');
  session.type('e');
  await session.sees('editing');
  // The first one loads the model.
  session.type('x');
  await session.sees('scored in');
  await session.rests();
  const times: number[] = [];
  for (let i = 0; i < EDITS; i++) {
    const before = session.output.length;
    const start = performance.now();
    session.type(i % 2 === 0 ? ' a' : 'b');
    // The row of figures is drawn anew when they are there; before it only "scoring" is.
    while (!session.output.slice(before).includes('scored in')) await new Promise(setImmediate);
    times.push(performance.now() - start);
    await session.rests(100);
  }
  session.type('\x03');
  await session.ended;
  return spread(times);
}
