/** @file What is to be drawn, as jobs for the slots of the sampler. */
import { firstChange } from '../lm/rows.js';
import type { Subject } from '../lm/subject.js';

/** Which tokens of a row to draw anew: `count` of them, the first at position `from` (at least 1). */
export interface Rewrite {
  readonly from: number;
  readonly count: number;
  /** Below 1 the likely is drawn more often than it occurs; default: 1. */
  readonly temperature?: number;
}

/**
 * A row to rewrite: `parent` is what its beginning is taken from, null where it has none; `read` is the next token to read,
 * `until` the position behind the last, `end` that behind its last new token.
 */
export interface DrawJob {
  readonly row: number;
  readonly parent: Int32Array | null;
  read: number;
  readonly until: number;
  readonly from: number;
  readonly end: number;
  readonly sharpness: number;
}

/** Jobs, and the parents that they need. */
export interface DrawGroup {
  readonly jobs: DrawJob[];
  readonly parents: readonly Int32Array[];
}

export const stepsOf = ({ read, until }: DrawJob) => until - read;

/**
 * A job for each row of which something is to be drawn.
 *
 * @param rows - `[count, positions]`
 * @param parents - what each row was made from, `[positions]`
 * @param options.tells - whether rows that are written to their ends are read to there
 */
export function jobsOf(
  rows: Int32Array,
  rewrites: readonly Rewrite[],
  parents: readonly Int32Array[],
  { positions, tells }: { readonly positions: number; readonly tells: boolean },
): DrawJob[] {
  return rewrites.flatMap(({ from, count, temperature = 1 }, row): DrawJob[] => {
    if (count === 0) return [];
    const parent = parents[row]!;
    const end = from + count;
    // Only a row that is written to its end is known as a whole. How probable a changed token is shows in what stands
    // before it.
    const isKnown = tells && end === positions;
    const own = rows.subarray(row * positions, (row + 1) * positions);
    const read = Math.max(0, Math.min(from - 1, firstChange(own, parent) - (isKnown ? 1 : 0)));
    const until = isKnown ? positions : end - 1;
    return [{ row, parent: read > 0 ? parent : null, read, until, from, end, sharpness: 1 / temperature }];
  });
}

/**
 * Jobs with as many parents as are read in one call; those that begin at BOS need none.
 *
 * @param size - parents of a call
 */
export function inGroups(jobs: readonly DrawJob[], size: number): DrawGroup[] {
  const distinct = [...new Set(jobs.flatMap(({ parent }) => parent ?? []))];
  const groups = Array.from({ length: Math.max(1, Math.ceil(distinct.length / size)) }, (_, i): DrawGroup => {
    const parents = distinct.slice(i * size, (i + 1) * size);
    return { parents, jobs: jobs.filter(({ parent }) => parent && parents.includes(parent)) };
  });
  groups[0]!.jobs.push(...jobs.filter(({ parent }) => parent === null));
  return groups;
}

/** Rows of which all behind the first token is to be drawn. */
export function wholeRows(
  { positions, subject }: { readonly positions: number; readonly subject: Pick<Subject, 'start'> },
  count: number,
  temperature = 1,
) {
  const rows = new Int32Array(count * positions);
  for (let row = 0; row < count; row++) rows[row * positions] = subject.start;
  return {
    rows,
    rewrites: Array<Rewrite>(count).fill({ from: 1, count: positions - 1, temperature }),
    parents: Array<Int32Array>(count).fill(rows.subarray(0, positions)),
  };
}
