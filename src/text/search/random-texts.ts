/** @file Where methods start that know no prior: texts of tokens drawn uniformly. */
import type { Arena } from './arena.js';
import type { Candidate } from './candidate.js';

/** Scores random sequences until `count` of them survive decoding and encoding. */
export async function* randomTexts(arena: Arena, count: number): AsyncGenerator<void, Candidate[], void> {
  const { model, start, positions, random } = arena.options;
  const excluded = new Set(model.tokenizer.excludedTokens());
  const tokens = Array.from({ length: model.spec.vocab }, (_, id) => id).filter((id) => !excluded.has(id));
  const found: Candidate[] = [];
  while (found.length < count) {
    const rows = Int32Array.from({ length: count * positions }, (_, i) =>
      i % positions === 0 ? start : random.pick(tokens),
    );
    const scored = await arena.evaluate(rows, Array(count).fill('random'));
    found.push(...scored.filter((candidate) => candidate !== null));
    yield;
  }
  return found.slice(0, count);
}
