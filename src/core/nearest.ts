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

/**
 * Up to `count` of `names`, nearest first, that could have been meant by `wrong`; empty when none is close.
 * Case is ignored; a name that contains `wrong` is close however long it is.
 */
export function nearestNames(wrong: string, names: Iterable<string>, count = 3): string[] {
  const wanted = wrong.toLowerCase();
  const close: { name: string; distance: number }[] = [];
  for (const name of new Set(names)) {
    const candidate = name.toLowerCase();
    const contained = wanted.length > 2 && candidate.includes(wanted);
    const edits = editDistance(wanted, candidate);
    if (contained || edits <= Math.max(2, wanted.length * 0.4)) {
      close.push({ name, distance: contained ? edits / 4 : edits });
    }
  }
  return close
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The tail of an error sentence: `; did you mean "a", "b" or "c"?`, or nothing when no name is close. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const quoted = nearestNames(wrong, names).map((name) => `"${name}"`);
  if (quoted.length === 0) return '';
  const last = quoted.pop();
  return `; did you mean ${quoted.length > 0 ? `${quoted.join(', ')} or ` : ''}${last}?`;
}
