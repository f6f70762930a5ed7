/**
 * @file Tokens of many sequences laid out without gaps, for graphs of a fixed size: of each child only what comes from
 * its first change on, with what stands before it looked up in its parent.
 */
import { firstChange } from './rows.js';

/** What one call holds. */
export interface CallSize {
  readonly tokens: number;
  readonly sequences: number;
  /** Of a sequence. */
  readonly positions: number;
}

interface Child {
  /** `[positions]` */
  readonly ids: Int32Array;
  /** Its parent, and which of those that are known it is. */
  readonly parent: Int32Array;
  readonly parentIndex: number;
}

/** One call: `readPacked` tells what its arrays are. */
interface Packing {
  /** Numbers of the children in it, in the order of its sequences. */
  readonly children: number[];
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly slots: Int32Array;
  /** Rows 0 … parents * positions - 1 are the parents' positions, the tokens of the call come after them. */
  readonly sources: Int32Array;
}

/**
 * Puts each child into the first call that has room for it.
 *
 * @param parents - how many parents are known
 */
export function pack(children: readonly Child[], parents: number, size: CallSize): Packing[] {
  const { positions } = size;
  const calls: { packing: Packing; tokens: number }[] = [];
  for (const [number, { ids, parent, parentIndex }] of children.entries()) {
    const from = firstChange(ids, parent);
    const count = positions - from;
    let call = calls.find(
      ({ packing, tokens }) => tokens + count <= size.tokens && packing.children.length < size.sequences,
    );
    if (!call) {
      call = { packing: emptyPacking(size), tokens: 0 };
      calls.push(call);
    }
    const { packing } = call;
    const sequence = packing.children.push(number) - 1;
    for (let position = 0; position < positions; position++) {
      const slot = sequence * positions + position;
      if (position < from) {
        packing.sources[slot] = parentIndex * positions + position;
        continue;
      }
      const token = call.tokens++;
      packing.ids[token] = ids[position]!;
      packing.positions[token] = position;
      packing.slots[token] = slot;
      packing.sources[slot] = parents * positions + token;
    }
  }
  // What is left over repeats a token, so that it is like the others.
  for (const { packing, tokens } of calls)
    for (const column of [packing.ids, packing.positions, packing.slots]) column.fill(column[0]!, tokens);
  return calls.map(({ packing }) => packing);
}

const emptyPacking = ({ tokens, sequences, positions }: CallSize): Packing => ({
  children: [],
  ids: new Int32Array(tokens),
  positions: new Int32Array(tokens),
  slots: new Int32Array(tokens),
  sources: new Int32Array(sequences * positions),
});
