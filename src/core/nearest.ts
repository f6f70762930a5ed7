/** @file "Did you mean …": the known names nearest to a misspelt one. */

/** Levenshtein distance: insertions, deletions and substitutions that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Longer names are not compared, and no more names than so many: an error must not take longer than the work. */
const MOST = { characters: 100, names: 5000 } as const;

/**
 * Up to `count` of `names`, nearest first, that could have been meant by `wrong`; empty when none is close.
 * Case is ignored; a name that contains `wrong` is close however long it is. Of very many names the first are looked at.
 */
export function nearestNames(wrong: string, names: Iterable<string>, count = 3): string[] {
  if (wrong.length > MOST.characters) return [];
  const wanted = wrong.toLowerCase();
  const tolerated = Math.max(2, wanted.length * 0.4);
  const close: { name: string; distance: number }[] = [];
  for (const name of firstNames(names)) {
    const candidate = name.toLowerCase();
    const contained = wanted.length > 2 && candidate.includes(wanted);
    if (!contained && Math.abs(candidate.length - wanted.length) > tolerated) continue;
    const edits = editDistance(wanted, candidate);
    if (contained || edits <= tolerated) close.push({ name, distance: contained ? edits / 4 : edits });
  }
  return close
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The first names that are short enough to be compared, each once. */
function firstNames(names: Iterable<string>): Set<string> {
  const first = new Set<string>();
  for (const name of names) {
    if (name.length <= MOST.characters) first.add(name);
    if (first.size === MOST.names) break;
  }
  return first;
}

/** The tail of an error sentence: `; did you mean "a", "b" or "c"?`, or nothing when no name is close. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const quoted = nearestNames(wrong, names).map((name) => `"${name}"`);
  if (quoted.length === 0) return '';
  const last = quoted.pop();
  return `; did you mean ${quoted.length > 0 ? `${quoted.join(', ')} or ` : ''}${last}?`;
}
