/** @file Sequences of one length, one after the other in one array. */

/** `[rows, positions]` */
export function stackRows(rows: readonly Int32Array[]): Int32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Int32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}
