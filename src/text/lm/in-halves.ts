/**
 * @file Rows in two halves, computed side by side on half of the processor each: products of few rows, and all that is no
 * product, gain little from a second core (docs/decisions/24-halves-of-the-processor.md).
 */
import { firstChange } from './rows.js';

/** For each of two halves something, and nothing else: a machine with one core does both with the same. */
export type Halves<T> = readonly [T, T];

/** One for each; the same for both where they are the same. */
export function pairOf<T, R>([first, second]: Halves<T>, make: (one: T) => R): Halves<R> {
  const made = make(first);
  return [made, first === second ? made : make(second)];
}

/** What is one of a pair, or both. */
export const distinct = <T>([first, second]: Halves<T>): T[] =>
  first === second ? [first] : [first, second];

/** What both have done. */
export const sumOver = <T>(pair: Halves<T>, of: (one: T) => number): number =>
  distinct(pair).reduce((sum, one) => sum + of(one), 0);

/**
 * Numbers of rows in two parts that cost about the same. Rows of the same family stay together, but for one family at the
 * most.
 *
 * @param families - what a row has in common with others
 * @param costs - one a row
 */
export function halve(families: readonly unknown[], costs: readonly number[]): Halves<number[]> {
  const order = new Map([...new Set(families)].map((family, i) => [family, i]));
  const rows = [...families.keys()].sort((a, b) => order.get(families[a])! - order.get(families[b])!);
  const half = costs.reduce((a, b) => a + b, 0) / 2;
  let before = 0;
  const cut = rows.findIndex((row) => {
    before += costs[row]!;
    // A row goes where more of it lies.
    return before - costs[row]! / 2 > half;
  });
  return cut === -1 ? [rows, []] : [rows.slice(0, cut), rows.slice(cut)];
}

/** Work on both halves side by side; a half without rows is no work. */
export function inHalves<T, R>(
  pair: Halves<T>,
  parts: Halves<readonly number[]>,
  work: (one: T, rows: readonly number[]) => Promise<R>,
): Promise<{ readonly rows: readonly number[]; readonly result: R }[]> {
  const halves = parts.flatMap((rows, i) => (rows.length > 0 ? [{ rows, one: pair[i]! }] : []));
  return Promise.all(halves.map(async ({ rows, one }) => ({ rows, result: await work(one, rows) })));
}

/** What can be asked of texts, given for each another with a beginning in common that is known already. */
interface ReadsChanges<R> {
  score(texts: readonly Int32Array[], like: readonly Int32Array[]): Promise<R>;
}

/** Texts scored in halves, by what they have in common. @param texts - `[positions]` each */
export const scoredInHalves = <R>(
  pair: Halves<ReadsChanges<R>>,
  texts: readonly Int32Array[],
  like: readonly Int32Array[],
) => {
  const costs = texts.map((text, row) => text.length - firstChange(text, like[row]!));
  return inHalves(pair, halve(like, costs), (one, rows) =>
    one.score(
      rows.map((row) => texts[row]!),
      rows.map((row) => like[row]!),
    ),
  );
};
