/** @file Sequences of one length, one after the other in one array. */

/** `[rows, positions]` */
export function stackRows(rows: readonly Int32Array[]): Int32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Int32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}

/** Rows of one length, `[count, positions]`, as sequences. */
export const splitRows = (ids: Int32Array, positions: number): Int32Array[] =>
  Array.from({ length: ids.length / positions }, (_, row) =>
    ids.slice(row * positions, (row + 1) * positions),
  );

/** The first position at which two sequences differ; the last where they do not. */
export function firstChange(child: Int32Array, parent: Int32Array): number {
  const at = child.findIndex((id, i) => id !== parent[i]);
  return at === -1 ? child.length - 1 : at;
}

/** Rows repeated up to a full batch, `[batch, positions]`. */
export function padRows(rows: Int32Array, batch: number, positions: number): Int32Array {
  const full = new Int32Array(batch * positions);
  for (let start = 0; start < full.length; start += positions) {
    full.set(
      start < rows.length ? rows.subarray(start, start + positions) : rows.subarray(0, positions),
      start,
    );
  }
  return full;
}
