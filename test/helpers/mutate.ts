/** @file Seeded damage for fuzzers: one or a few faults in bytes, or in a value as JSON has them. */
import type { Random } from '../../src/core/random.js';

/** Names that break tables made of plain objects, paths, terminals and buffers. */
const hostileNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '../../../etc/passwd',
  '/dev/zero',
  'a\u0000b\u001b[2J\u202e',
  'x'.repeat(100_000),
];

const hostileNumbers: readonly number[] = [
  0,
  -1,
  1,
  2,
  0.5,
  -0.5,
  255,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  Number.MAX_SAFE_INTEGER,
  2 ** 64,
  1e308,
  -1e308,
];

/** 1 mostly, now and then up to 8. */
const faults = (random: Random): number => (random.uniform() < 0.7 ? 1 : 2 + random.integer(7));

// -- bytes -------------------------------------------------------------------------------------------------------------

type ByteFault = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Where a piece of up to `longest` bytes begins and ends. */
function piece(bytes: Uint8Array, random: Random, longest = 64): [begin: number, end: number] {
  const begin = random.integer(bytes.length);
  return [begin, Math.min(bytes.length, begin + 1 + random.integer(longest))];
}

function replaced(bytes: Uint8Array, begin: number, end: number, by: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - (end - begin) + by.length);
  result.set(bytes.subarray(0, begin));
  result.set(by, begin);
  result.set(bytes.subarray(end), begin + by.length);
  return result;
}

/** Another number in 1, 2, 4 or 8 bytes, little-endian. */
function overwriteNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const number = new Uint8Array(8);
  const chosen = BigInt(Math.trunc(Math.max(-(2 ** 62), Math.min(random.pick(hostileNumbers), 2 ** 63))));
  new DataView(number.buffer).setBigUint64(0, BigInt.asUintN(64, chosen), true);
  const width = random.pick([1, 2, 4, 8]);
  const begin = random.integer(bytes.length);
  const end = Math.min(bytes.length, begin + width);
  return replaced(bytes, begin, end, number.subarray(0, end - begin));
}

/** A word of letters and digits becomes a hostile name. */
function renameWord(bytes: Uint8Array, random: Random): Uint8Array {
  const isLetter = (i: number): boolean => /[\w./:]/.test(String.fromCharCode(bytes[i] ?? 0));
  const start = random.integer(bytes.length);
  let begin = start;
  while (begin < bytes.length && !isLetter(begin)) begin++;
  let end = begin;
  while (end < bytes.length && isLetter(end)) end++;
  return replaced(bytes, begin, end, new TextEncoder().encode(random.pick(hostileNames)));
}

const byteFaults: readonly ByteFault[] = [
  // A bit turned.
  (bytes, random) => {
    const result = bytes.slice();
    result[random.integer(bytes.length)]! ^= 1 << random.integer(8);
    return result;
  },
  (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  // A piece lost, repeated, or of one byte only.
  (bytes, random) => replaced(bytes, ...piece(bytes, random), new Uint8Array(0)),
  (bytes, random) => {
    const [begin, end] = piece(bytes, random);
    return replaced(bytes, end, end, bytes.subarray(begin, end));
  },
  (bytes, random) => bytes.slice().fill(random.pick([0, 0x20, 0x7f, 0xff]), ...piece(bytes, random)),
  overwriteNumber,
  renameWord,
];

/** A copy with one or a few faults. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let left = faults(random); left > 0 && result.length > 0; left--) {
    result = random.pick(byteFaults)(result, random);
  }
  return result;
}

// -- values ------------------------------------------------------------------------------------------------------------

type Container = Record<string, unknown> | unknown[];

/** A place in a value: `holder[key]`. */
interface Slot {
  readonly holder: Container;
  readonly key: string;
}

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

function slots(value: unknown): Slot[] {
  const found: Slot[] = [];
  const open = [value];
  while (open.length > 0) {
    const holder = open.pop();
    if (!isContainer(holder)) continue;
    for (const [key, child] of Object.entries(holder)) {
      found.push({ holder, key });
      open.push(child);
    }
  }
  return found;
}

const read = ({ holder, key }: Slot): unknown => (holder as Record<string, unknown>)[key];

/** As an own property, whatever its name. */
function write({ holder, key }: Slot, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

function remove({ holder, key }: Slot): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function nested(depth: number, innermost: unknown): unknown {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Something of the same type, or bytes with a fault. */
function alike(value: unknown, all: readonly Slot[], random: Random): unknown {
  if (value instanceof Uint8Array) return mutateBytes(value, random);
  if (typeof value === 'number') return random.pick(hostileNumbers);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string' && random.uniform() < 0.5) return random.pick(hostileNames);
  const others = all.map(read).filter((other) => typeof other === typeof value);
  return structuredClone(random.pick(others));
}

type ValueFault = (slot: Slot, all: readonly Slot[], random: Random) => void;

const valueFaults: readonly ValueFault[] = [
  (slot, all, random) => write(slot, alike(read(slot), all, random)),
  (slot, all, random) => write(slot, alike(read(slot), all, random)),
  remove,
  // Another type.
  (slot, _all, random) =>
    write(slot, random.pick([null, true, '', 'x', 0, -1, [], {}, [[]], nested(1000, 1)])),
  // Another name for a key.
  (slot, all, random) => {
    const value = read(slot);
    const key = random.uniform() < 0.5 ? random.pick(hostileNames) : random.pick(all).key;
    if (Array.isArray(slot.holder)) return;
    remove(slot);
    write({ holder: slot.holder, key }, value);
  },
  // An entry many times over.
  (slot, all, random) => {
    const { holder } = slot;
    if (!Array.isArray(holder) || all.length > 10_000) return;
    const times = random.pick([1, 2, 1000]);
    for (let i = 0; i < times; i++) holder.push(read(slot));
  },
  // Two places changed with each other.
  (slot, all, random) => {
    const other = random.pick(all);
    const [a, b] = [structuredClone(read(slot)), structuredClone(read(other))];
    write(slot, b);
    write(other, a);
  },
];

/** A copy of a value of JSON (that may hold byte arrays too) with one or a few faults. */
export function mutateValue<T>(value: T, random: Random): unknown {
  const copy: unknown = structuredClone(value);
  for (let left = faults(random); left > 0; left--) {
    const all = slots(copy);
    if (all.length > 0) random.pick(valueFaults)(random.pick(all), all, random);
  }
  return copy;
}
