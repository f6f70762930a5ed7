/** @file Where methods start that know no prior: texts of tokens drawn uniformly. */
import type { Subject } from '../lm/subject.js';
import type { Arena, Turns } from './arena.js';
import type { Candidate } from './candidate.js';

/** Scores random sequences until `count` of them survive decoding and encoding. */
export async function* randomTexts(arena: Arena, count: number): Turns<Candidate[]> {
  const { subject, positions, random } = arena.options;
  const tokens = usableTokens(subject);
  const found: Candidate[] = [];
  while (found.length < count) {
    const rows = Int32Array.from({ length: count * positions }, (_, i) =>
      i % positions === 0 ? subject.start : random.pick(tokens),
    );
    const scored = await arena.evaluate(rows, Array(count).fill('random'));
    found.push(...scored.filter((candidate) => candidate !== null));
    yield;
  }
  return found.slice(0, count);
}

/** All tokens that a text may have. */
export function usableTokens(subject: Subject): number[] {
  const excluded = new Set(subject.excluded());
  return Array.from({ length: subject.spec.vocab }, (_, id) => id).filter((id) => !excluded.has(id));
}
