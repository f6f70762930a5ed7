/** @file A few of many: what is shown of a list that is too long to be shown whole. */

/** At most `count` entries at even distances, both ends included. */
export function evenly<T>(list: readonly T[], count: number): readonly T[] {
  return list.length <= count ? list : evenIndices(list.length, count).map((index) => list[index]!);
}

/** At most `count` indices of a list of so many entries, at even distances, both ends included. */
export function evenIndices(length: number, count: number): number[] {
  const shown = Math.max(0, Math.min(length, count));
  return Array.from({ length: shown }, (_, i) =>
    shown === 1 ? 0 : Math.round((i * (length - 1)) / (shown - 1)),
  );
}

/**
 * A curve in at most about `count` points: of each stretch its lowest and its highest, and both ends.
 *
 * @param values - NaN stands for no value
 * @returns indices, rising
 */
export function curveIndices(values: readonly number[], count: number): number[] {
  if (values.length <= count) return values.map((_, i) => i);
  const stretch = Math.ceil((2 * values.length) / Math.max(2, count - 2));
  const kept = new Set<number>([0]);
  for (let start = 0; start < values.length; start += stretch) {
    let [low, high] = [start, start];
    for (let i = start; i < Math.min(start + stretch, values.length); i++) {
      if (values[i]! < values[low]! || Number.isNaN(values[low]!)) low = i;
      if (values[i]! > values[high]! || Number.isNaN(values[high]!)) high = i;
    }
    kept.add(Math.min(low, high)).add(Math.max(low, high));
  }
  return [...kept.add(values.length - 1)];
}

/** The lowest and the highest of any number of values; `[Infinity, -Infinity]` of none. NaN does not count. */
export function extent(values: Iterable<number>): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
