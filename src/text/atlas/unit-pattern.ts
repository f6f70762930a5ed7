/** @file Many units by one name: `L*.H*`, `L2.N*`, `L2-4.N0-511`, `sae:PATH#*`. */
import { UsageError } from '../../core/errors.js';
import type { UnitContext } from '../readouts/kind.js';
import { kinds } from '../readouts/kinds.js';
import type { ReadoutGroup } from '../readouts/readout.js';
import { openUnit, parseTextUnit } from '../readouts/units.js';

/** Units of one group, by rising index. */
export interface UnitSet {
  readonly group: ReadoutGroup;
  readonly indices: readonly number[];
}

/** Units that one atlas may have. */
const MOST_UNITS = 200_000;

/**
 * The units that some names and patterns mean, by group. In a pattern `*` is any number and `3-8` a range of them.
 *
 * @throws UsageError for a pattern that no unit of the model matches, or a name that it lacks
 */
export function unitSets(patterns: readonly string[], context: UnitContext): UnitSet[] {
  const found = new Map<string, { group: ReadoutGroup; indices: Set<number> }>();
  let total = 0;
  const add = (group: ReadoutGroup, indices: Iterable<number>) => {
    const set = found.get(group.key) ?? { group, indices: new Set() };
    found.set(group.key, set);
    const before = set.indices.size;
    for (const index of indices) set.indices.add(index);
    total += set.indices.size - before;
    if (total > MOST_UNITS)
      throw new UsageError(`an atlas of more than ${MOST_UNITS} units is too large: ask for fewer of them`);
  };
  for (const pattern of patterns) {
    let isKnown = false;
    for (const { group, indices } of matched(pattern, context)) {
      add(group, indices);
      isKnown ||= indices.length > 0;
    }
    if (!isKnown)
      throw new UsageError(`"${pattern}" matches no unit of this model; "superstim units" lists what it has`);
  }
  return [...found.values()].map(({ group, indices }) => ({
    group,
    indices: [...indices].sort((a, b) => a - b),
  }));
}

/** In names of dictionaries, whose paths may have anything in them, only the index is a pattern. */
const hasWildcard = (pattern: string) => /\*|\d-\d/.test(pattern.replace(/^.*[#/](?=[^#/]+$)/s, ''));

/** A name that a pattern may mean, for callers that ask what model and what dictionary it is of. */
export const exampleOf = (pattern: string): string =>
  hasWildcard(pattern) ? pattern.replace(/\*/g, '0').replace(/(\d+)-\d+(?=\D*$)/, '$1') : pattern;

function* matched(pattern: string, context: UnitContext): Generator<UnitSet> {
  if (!hasWildcard(pattern)) {
    const { group, index } = openUnit(parseTextUnit(pattern, context.spec), context);
    yield { group, indices: [index] };
    return;
  }
  const [, dictionary, range] = /^(.+[#/])([\d*-]+)$/s.exec(pattern) ?? [];
  if (dictionary !== undefined && range !== undefined) {
    yield latents(dictionary, range, context);
    return;
  }
  const matches = matcher(pattern);
  for (const group of Object.values(kinds).flatMap((kind) => kind.groups(context))) {
    const indices = Array.from({ length: group.size }, (_, index) => index).filter((index) =>
      matches(group.unit(index).name),
    );
    if (indices.length > 0) yield { group, indices };
  }
}

function latents(path: string, range: string, context: UnitContext): UnitSet {
  const { group } = openUnit(parseTextUnit(`${path}0`, context.spec), context);
  const all = group.siblings!.inLayer(group.siblings!.layer)!;
  const isIn = inRange(range);
  const indices = Array.from({ length: all.size }, (_, index) => index).filter(isIn);
  return indices.length === all.size || indices.length === 0
    ? { group: all, indices }
    : { group: all.only!(indices), indices: indices.map((_, i) => i) };
}

/** Whether a name is one of those that a pattern means. */
export function matcher(pattern: string): (name: string) => boolean {
  const ranges: ((value: number) => boolean)[] = [];
  const parts = pattern.split(/(\*|\d+-\d+)/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    ranges.push(inRange(part));
    return '(\\d+)';
  });
  const form = new RegExp(`^${parts.join('')}$`);
  return (name) => {
    const numbers = form.exec(name)?.slice(1);
    return numbers?.every((text, i) => ranges[i]!(Number(text))) ?? false;
  };
}

/** @param range - `*`, `3-8` or `3` */
function inRange(range: string): (value: number) => boolean {
  if (range === '*') return () => true;
  const [first, last = first] = range.split('-').map(Number) as [number, number?];
  return (value) => value >= first && value <= last!;
}
