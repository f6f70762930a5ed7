/** @file Natural text as a baseline of the search: its windows of as many tokens, of which the frontier keeps the best. */
import { corpusSequences } from '../corpus/corpus-text.js';
import { stackRows } from '../lm/rows.js';
import type { Arena, Turns } from './arena.js';

/** From the beginning of the files to their end, or until stopped; a turn is at most a stretch of text. */
export async function* corpus(arena: Arena): Turns {
  const { subject, positions, turn, naturalText: files = [] } = arena.options;
  const cut = { unit: 'window', length: positions - 1 } as const;
  // Not the arena's: what a corpus repeats says nothing of a method that finds nothing new.
  const seen = new Set<string>();
  let waiting: Int32Array[] = [];
  for await (const { sequences } of corpusSequences(files, subject.tokenizer, cut)) {
    for (const ids of sequences) {
      if (!seen.has(ids.join())) waiting.push(ids);
      seen.add(ids.join());
    }
    while (waiting.length >= turn) {
      yield* score(arena, waiting.slice(0, turn));
      waiting = waiting.slice(turn);
    }
    yield;
  }
  yield* score(arena, waiting);
}

async function* score(arena: Arena, rows: readonly Int32Array[]): Turns {
  if (rows.length > 0) await arena.evaluate(stackRows(rows), Array(rows.length).fill('corpus'));
  yield;
}
