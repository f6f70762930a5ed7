/** @file Sequences being sampled, with what is known of each token: its probability, and what the unit makes of it. */

/** Rows of equal length. Entry `t` of a row is about the token at position t; position 0 holds BOS. */
export interface Sequences {
  readonly rows: number;
  readonly positions: number;
  /** Numbers of z a position: the unit's, then its rivals' where they count. */
  readonly tracked: number;
  /** `[rows, positions]` */
  readonly ids: Int32Array;
  /** ln p(token | those before it) under the prior, nats; `[rows, positions]`. */
  readonly logProbs: Float64Array;
  /** ln of the probability that it is drawn with, which leaves banned tokens out; `[rows, positions]`. */
  readonly logDraws: Float64Array;
  /** Sigmas, `[rows, positions, tracked]`. */
  readonly z: Float32Array;
}

/** Sequences that hold nothing but the start token yet. */
export function emptySequences(rows: number, positions: number, tracked: number, start: number): Sequences {
  const ids = new Int32Array(rows * positions);
  for (let row = 0; row < rows; row++) ids[row * positions] = start;
  return {
    rows,
    positions,
    tracked,
    ids,
    logProbs: new Float64Array(rows * positions),
    logDraws: new Float64Array(rows * positions),
    z: new Float32Array(rows * positions * tracked),
  };
}

export function copySequences(sequences: Sequences): Sequences {
  const { ids, logProbs, logDraws, z } = sequences;
  return {
    ...sequences,
    ids: ids.slice(),
    logProbs: logProbs.slice(),
    logDraws: logDraws.slice(),
    z: z.slice(),
  };
}

/**
 * Writes one position of every row.
 *
 * @param tokens - `[rows]` each
 * @param z - `[rows, tracked]`
 */
export function writeTokens(
  { rows, positions, tracked, ...into }: Sequences,
  position: number,
  tokens: { readonly ids: Int32Array; readonly logProbs: Float32Array; readonly logDraws: Float32Array },
  z: Float32Array,
): void {
  for (let row = 0; row < rows; row++) {
    const at = row * positions + position;
    into.ids[at] = tokens.ids[row]!;
    into.logProbs[at] = tokens.logProbs[row]!;
    into.logDraws[at] = tokens.logDraws[row]!;
    into.z.set(z.subarray(row * tracked, (row + 1) * tracked), at * tracked);
  }
}

/** Row `i` of the result is row `from[i]`. */
export function takeRows(sequences: Sequences, from: Int32Array): Sequences {
  const taken = copySequences(sequences);
  for (let row = 0; row < from.length; row++) copyRow(sequences, from[row]!, taken, row);
  return taken;
}

export function copyRow(source: Sequences, from: number, target: Sequences, to: number): void {
  const { positions, tracked } = source;
  const move = (a: Int32Array | Float32Array | Float64Array, b: typeof a, size: number) =>
    b.set(a.subarray(from * size, (from + 1) * size), to * size);
  move(source.ids, target.ids, positions);
  move(source.logProbs, target.logProbs, positions);
  move(source.logDraws, target.logDraws, positions);
  move(source.z, target.z, positions * tracked);
}

/** Token ids of one row, BOS in front. */
export function idsOf({ ids, positions }: Sequences, row: number): Int32Array {
  return ids.subarray(row * positions, (row + 1) * positions);
}

/** Column `position` of the ids, `[rows]`. */
export function idsAt(
  { ids, positions, rows }: Pick<Sequences, 'ids' | 'positions' | 'rows'>,
  position: number,
): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => ids[row * positions + position]!);
}

/** Sum of some entries of a row: positions `from` to `end - 1`. */
export function sumOf(
  values: Float64Array,
  { positions }: Sequences,
  row: number,
  from: number,
  end: number,
): number {
  let sum = 0;
  for (let t = from; t < end; t++) sum += values[row * positions + t]!;
  return sum;
}
