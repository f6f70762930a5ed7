/**
 * @file Python's pickle, as data: numbers, texts and plain containers, and calls of the few functions that the reader
 * knows. Nothing is executed: a name is looked up in a table of ours, and any other name is refused. (A pickle may name
 * any function of Python, which Python's own reader then calls.)
 *
 * Opcodes: CPython's Lib/pickletools.py, protocols 2 to 5.
 */
import { UserError } from '../../core/errors.js';

/** What a pickle calls by name, of what it may call. */
export type Callable = (args: readonly unknown[]) => unknown;

export interface PickleReader {
  readonly path: string;
  /** By `module name`. */
  readonly callables: ReadonlyMap<string, Callable>;
  /** What stands for something outside the pickle. */
  persistent(id: unknown): unknown;
}

/** A dict of Python; keys are kept as they are. */
export type PickleDict = Map<unknown, unknown>;

/** A name that may be looked up: calling it is another matter. */
export class PickleName {
  constructor(readonly name: string) {}
}

const MARK = Symbol('mark');

/** The value of a pickle. Throws UserError for a damaged one, and for one that needs more than plain data. */
export function readPickle(bytes: Uint8Array, reader: PickleReader): unknown {
  return new Machine(bytes, reader).run();
}

/** The values of pickles that follow each other, and where the last ends. Errors as of `readPickle`. */
export function readPickles(
  bytes: Uint8Array,
  count: number,
  reader: PickleReader,
): { values: unknown[]; end: number } {
  const values: unknown[] = [];
  let end = 0;
  for (let i = 0; i < count; i++) {
    const machine = new Machine(bytes.subarray(end), reader);
    values.push(machine.run());
    end += machine.end;
  }
  return { values, end };
}

class Machine {
  private at = 0;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly reader: PickleReader,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const code = this.view.getUint8(this.take(1));
      if (code === STOP) return this.pop();
      const operation = operations.get(code);
      if (!operation) throw this.refused(`uses the operation 0x${code.toString(16).padStart(2, '0')}`);
      operation(this);
    }
  }

  /** Bytes that were read. */
  get end(): number {
    return this.at;
  }

  // -- what is read ------------------------------------------------------------------------------------------------

  /** Where the next `count` bytes begin. */
  private take(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) throw this.damaged('it ends too early');
    this.at += count;
    return start;
  }

  uint(width: 1 | 2 | 4 | 8): number {
    const start = this.take(width);
    if (width === 1) return this.view.getUint8(start);
    if (width === 2) return this.view.getUint16(start, true);
    return width === 4 ? this.view.getUint32(start, true) : Number(this.view.getBigUint64(start, true));
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  float(): number {
    return this.view.getFloat64(this.take(8));
  }

  /** Little-endian, in two's complement. */
  long(width: number): number {
    const start = this.take(width);
    if (width > 8) throw this.refused('has a whole number of more than 64 bits');
    let value = 0n;
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]!);
    return Number(BigInt.asIntN(8 * width, value));
  }

  text(length: number): string {
    const start = this.take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.damaged('it ends too early');
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  // -- what is kept ------------------------------------------------------------------------------------------------

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw this.damaged('it takes more values than there are');
    return this.stack.pop();
  }

  /** The values behind the last mark. */
  popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw this.damaged('it takes more values than there are');
    const values = this.stack.splice(mark);
    return values.slice(1);
  }

  popText(): string {
    const value = this.pop();
    if (typeof value === 'string') return value;
    throw this.damaged('a text is something else');
  }

  put(index: number): void {
    this.memo.set(index, this.stack.at(-1));
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw this.damaged('it names a value that was not there before');
    this.push(this.memo.get(index));
  }

  // -- what it means -----------------------------------------------------------------------------------------------

  name(module: string, name: string): void {
    this.push(new PickleName(`${module} ${name}`));
  }

  call(): void {
    const args = this.pop();
    const called = this.pop();
    if (!(called instanceof PickleName) || !Array.isArray(args))
      throw this.damaged('it calls what is no function');
    const callable = this.reader.callables.get(called.name);
    if (!callable) throw this.refused(`would call ${printable(called.name.replace(' ', '.'))}`);
    this.push(callable(args));
  }

  persistent(): void {
    this.push(this.reader.persistent(this.pop()));
  }

  /** Pairs of `values` into the dict below them. */
  setItems(values: readonly unknown[]): void {
    const dict = this.stack.at(-1);
    if (!(dict instanceof Map) || values.length % 2 !== 0) throw this.damaged('an entry belongs to no dict');
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1]);
  }

  append(values: readonly unknown[]): void {
    const list = this.stack.at(-1);
    if (!Array.isArray(list)) throw this.damaged('an item belongs to no list');
    for (const value of values) list.push(value);
  }

  /** The state of an object: of a dict (`_metadata` of a state dict) it says nothing that is needed. */
  build(): void {
    this.pop();
    if (!(this.stack.at(-1) instanceof Map)) throw this.refused('would set the state of an object');
  }

  refused(what: string): UserError {
    return new UserError(
      `${this.reader.path} is not read: its pickle ${what}, and only tensors and plain containers are; save its state_dict as safetensors instead`,
    );
  }

  private damaged(what: string): UserError {
    return new UserError(`${this.reader.path} is damaged: of its pickle, ${what}; download it again`);
  }
}

const printable = (name: string): string => name.slice(0, 100).replace(/[\p{Cc}\p{Cf}]/gu, '�');

const STOP = 0x2e;

/** By opcode; the letters are those of pickletools. */
const operations = new Map<number, (machine: Machine) => void>(
  (
    [
      ['\x80', (m) => void m.uint(1)], // PROTO
      ['\x95', (m) => void m.uint(8)], // FRAME
      ['(', (m) => m.push(MARK)],
      ['0', (m) => void m.pop()],
      ['1', (m) => void m.popToMark()],
      ['N', (m) => m.push(null)],
      ['\x88', (m) => m.push(true)],
      ['\x89', (m) => m.push(false)],
      ['K', (m) => m.push(m.uint(1))],
      ['M', (m) => m.push(m.uint(2))],
      ['J', (m) => m.push(m.int32())],
      ['\x8a', (m) => m.push(m.long(m.uint(1)))],
      ['G', (m) => m.push(m.float())],
      ['X', (m) => m.push(m.text(m.uint(4)))],
      ['\x8c', (m) => m.push(m.text(m.uint(1)))],
      ['\x8d', (m) => m.push(m.text(m.uint(8)))],
      ['U', (m) => m.push(m.text(m.uint(1)))], // texts of Python 2
      ['T', (m) => m.push(m.text(m.uint(4)))],
      [')', (m) => m.push([])],
      [']', (m) => m.push([])],
      ['}', (m) => m.push(new Map())],
      ['t', (m) => m.push(m.popToMark())],
      ['\x85', (m) => m.push([m.pop()])],
      ['\x86', (m) => m.push([m.pop(), m.pop()].reverse())],
      ['\x87', (m) => m.push([m.pop(), m.pop(), m.pop()].reverse())],
      ['a', (m) => m.append([m.pop()])],
      ['e', (m) => m.append(m.popToMark())],
      ['s', (m) => m.setItems([m.pop(), m.pop()].reverse())],
      ['u', (m) => m.setItems(m.popToMark())],
      ['q', (m) => m.put(m.uint(1))],
      ['r', (m) => m.put(m.uint(4))],
      ['\x94', (m) => m.memoize()],
      ['h', (m) => m.get(m.uint(1))],
      ['j', (m) => m.get(m.uint(4))],
      ['c', (m) => m.name(m.line(), m.line())],
      ['\x93', (m) => m.name(...([m.popText(), m.popText()].reverse() as [string, string]))],
      ['R', (m) => m.call()],
      ['Q', (m) => m.persistent()],
      ['b', (m) => m.build()],
    ] as const satisfies readonly (readonly [string, (machine: Machine) => void])[]
  ).map(([letter, operation]) => [letter.charCodeAt(0), operation]),
);
