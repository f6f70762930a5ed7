/**
 * @file Tokens of many sequences laid out without gaps, for graphs of a fixed size: of each child only what comes from
 * its first change on, with what stands before it looked up in its parent.
 */
import { firstChange } from './rows.js';

/** What one call holds. */
export interface CallSize {
  readonly tokens: number;
  readonly sequences: number;
  /** Positions of a sequence. */
  readonly positions: number;
}

interface Child {
  /** `[positions]` */
  readonly ids: Int32Array;
  /** Its parent, and which of those that are known it is. */
  readonly parent: Int32Array;
  readonly parentIndex: number;
}

/** One call: `readPacked` explains its arrays. */
interface Packing {
  readonly size: CallSize;
  /** Numbers of the children in it, in the order of its sequences. */
  readonly children: readonly number[];
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly slots: Int32Array;
  /** Rows 0 … parents * positions - 1 are the parents' positions, the tokens of the call come after them. */
  readonly sources: Int32Array;
}

/**
 * Puts each child into the first call that has room for it, and each call into the smallest size that holds it.
 *
 * @param parents - how many parents are known
 * @param sizes - of calls, the smallest first; the largest holds any one child
 */
export function pack(children: readonly Child[], parents: number, sizes: readonly CallSize[]): Packing[] {
  const largest = sizes.at(-1)!;
  const changes = children.map(({ ids, parent }) => firstChange(ids, parent));
  const holds = (size: CallSize, tokens: number, sequences: number) =>
    tokens <= size.tokens && sequences <= size.sequences;
  const calls: { children: number[]; tokens: number }[] = [];
  for (const [number, { ids }] of children.entries()) {
    const count = ids.length - changes[number]!;
    let call = calls.find((call) => holds(largest, call.tokens + count, call.children.length + 1));
    if (!call) {
      call = { children: [], tokens: 0 };
      calls.push(call);
    }
    call.children.push(number);
    call.tokens += count;
  }
  return calls.map((call) => {
    const size = sizes.find((size) => holds(size, call.tokens, call.children.length))!;
    const packing = emptyPacking(size, call.children);
    let token = 0;
    for (const [sequence, number] of call.children.entries()) {
      const { ids, parentIndex } = children[number]!;
      for (const [position, id] of ids.entries()) {
        const slot = sequence * size.positions + position;
        if (position < changes[number]!) {
          packing.sources[slot] = parentIndex * size.positions + position;
          continue;
        }
        packing.ids[token] = id;
        packing.positions[token] = position;
        packing.slots[token] = slot;
        packing.sources[slot] = parents * size.positions + token++;
      }
    }
    // What is left over repeats a token, so that it is like the others.
    for (const column of [packing.ids, packing.positions, packing.slots]) column.fill(column[0]!, token);
    return packing;
  });
}

const emptyPacking = (size: CallSize, children: readonly number[]): Packing => ({
  size,
  children,
  ids: new Int32Array(size.tokens),
  positions: new Int32Array(size.tokens),
  slots: new Int32Array(size.tokens),
  sources: new Int32Array(size.sequences * size.positions),
});
