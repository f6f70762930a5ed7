/** @file One compiled graph over any number of sequences. */
import type { Compiled } from '../../engine/compile.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { padRows } from '../lm/rows.js';

/**
 * Runs a program with one input `ids` `[batch, positions]` and one number a row out, over any number of rows.
 *
 * @param ids - `[count, positions]`; a last batch that is smaller is filled up
 * @returns by output, `[count]`
 */
export async function runInBatches(
  program: Compiled,
  ids: Int32Array,
  positions: number,
  batch: number,
): Promise<Record<string, TypedArray>> {
  const count = ids.length / positions;
  const columns: Record<string, TypedArray> = {};
  for (const [name, { dtype }] of Object.entries(program.outputs))
    columns[name] = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
  for (let start = 0; start < count; start += batch) {
    const part = ids.subarray(start * positions, Math.min(count, start + batch) * positions);
    const result = await program.run({ ids: padRows(part, batch, positions) });
    const rows = part.length / positions;
    for (const [name, column] of Object.entries(columns)) column.set(result[name]!.subarray(0, rows), start);
  }
  return columns;
}
