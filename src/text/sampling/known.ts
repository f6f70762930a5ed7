/** @file What a sampler finds out about rows while it writes them, by position. */

/** `[positions]` each; NaN where nothing is known. Position 0 does not count. */
export interface KnownRow {
  /** ln p of the token, nats. */
  readonly logProbs: Float32Array;
  /** z of the unit, sigmas. */
  readonly z: Float32Array;
  /** z of its strongest rival there. */
  readonly strongest: Float32Array;
  /** The same of the row that it was made from, where that was read too. */
  parent: KnownRow | null;
}

/** A row of which nothing is known. */
export function nothingKnown(positions: number): KnownRow {
  const column = () => new Float32Array(positions).fill(Number.NaN);
  return { logProbs: column(), z: column(), strongest: column(), parent: null };
}

/** The columns that the outputs of a graph have, `[rows, width]` each. */
export type Told = Readonly<Partial<Record<'logProbs' | 'z' | 'strongest', Float32Array>>>;

/**
 * Writes a row of what a graph has told.
 *
 * @param width - of the graph's rows
 * @param count - so many of them
 * @param at - the position that the first of them is
 */
export function learn(
  known: KnownRow,
  told: Told,
  row: number,
  width: number,
  count: number,
  at: number,
): void {
  const put = (column: Float32Array, values: Float32Array | undefined, first: number) => {
    const room = Math.min(count, column.length - first);
    if (values && room > 0) column.set(values.subarray(row * width, row * width + room), first);
  };
  // What is read tells how probable the next token is.
  put(known.logProbs, told.logProbs, at + 1);
  put(known.z, told.z, at);
  put(known.strongest, told.strongest, at);
}

/** What a row has in common with its parent: known up to the position that it is read from. */
export function inherit(known: KnownRow, parent: KnownRow, read: number): void {
  known.logProbs.set(parent.logProbs.subarray(1, read + 1), 1);
  known.z.set(parent.z.subarray(1, read), 1);
  known.strongest.set(parent.strongest.subarray(1, read), 1);
  known.parent = parent;
}
