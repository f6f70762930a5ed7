/** @file Named arrays in files, read whole or a few lines at a time; whatever format says where they lie. */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../tensor-spec.js';
import { readRange } from './byte-ranges.js';
import { float32FromBf16, float32FromF16 } from './half.js';
import type { HalfType, HalfWeights, WeightSource } from './weights.js';

/** Bytes an element, for every element type whose elements are whole bytes. */
export const elementBytes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BOOL: 1,
    U8: 1,
    I8: 1,
    F8_E4M3: 1,
    F8_E5M2: 1,
    U16: 2,
    I16: 2,
    F16: 2,
    BF16: 2,
    U32: 4,
    I32: 4,
    F32: 4,
    U64: 8,
    I64: 8,
    F64: 8,
  }),
);

/** How elements become numbers; the types that parameters and token ids come in. */
const decoders = new Map<string, (bytes: ArrayBuffer) => Float32Array | Int32Array>([
  ['F64', (bytes) => Float32Array.from(new Float64Array(bytes))],
  ['F32', (bytes) => new Float32Array(bytes)],
  ['F16', (bytes) => float32FromF16(new Uint16Array(bytes))],
  ['BF16', (bytes) => float32FromBf16(new Uint16Array(bytes))],
  ['U8', (bytes) => Int32Array.from(new Uint8Array(bytes))],
  ['I32', (bytes) => new Int32Array(bytes)],
  ['I64', (bytes) => Int32Array.from(new BigInt64Array(bytes), Number)],
]);

/** Axes of an array, and characters of its name. */
const MAX_RANK = 16;
const MAX_NAME = 1000;

/** Whether something can name an array: short, and nothing that acts on a terminal. */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME && !/[\p{Cc}\p{Bidi_C}]/u.test(name);
}

/** For messages: cut, and without what acts on a terminal. */
export function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 80).replace(/[\p{Cc}\p{Cf}]/gu, '�'));
}

/** Whether something can be the shape of an array. */
export function isShape(list: unknown): list is number[] {
  return (
    Array.isArray(list) && list.length <= MAX_RANK && list.every((n) => Number.isSafeInteger(n) && n >= 0)
  );
}

/** Where an array lies. */
export interface StoredArray {
  /** The file, for messages. */
  readonly path: string;
  /** As safetensors spells it. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of all elements. */
  readonly bytes: number;
  /** A matrix that is stored transposed: its last axis has the larger step. */
  readonly transposed?: boolean;
  /** A part of those bytes. */
  readonly load: (start: number, bytes: number) => ArrayBuffer;
}

/** An array that lies in a file as it is. @param start - bytes from the start of the file */
export function arrayInFile(
  path: string,
  dtype: string,
  shape: readonly number[],
  range: { readonly start: number; readonly bytes: number },
): StoredArray {
  return {
    path,
    dtype,
    shape,
    bytes: range.bytes,
    load: (start, bytes) => readRange(path, range.start + start, bytes),
  };
}

/** Element types of two bytes. */
const halfTypes = new Map<string, HalfType>([
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
]);

/** The 16-bit type of a matrix whose bytes can be used as they are in the file; undefined for other arrays. */
function halfType({ dtype, shape, transposed }: StoredArray): HalfType | undefined {
  return shape.length > 1 && !transposed ? halfTypes.get(dtype) : undefined;
}

/** Bytes read at once where a few elements of every line are wanted. */
const CHUNK = 1 << 25;

/** Elements of the matrices of a file from which on they are kept in half precision: as float32 they take a gibibyte. */
const MANY_HALVES = 2 ** 28;

/** Arrays of one file or of the shards of one model; also the weights of a network. */
export class NamedArrays implements WeightSource {
  /** Matrices in half precision. */
  readonly halves: HalfWeights | undefined;

  constructor(
    private readonly entries: ReadonlyMap<string, StoredArray>,
    readonly path: string,
  ) {
    const sizes = [...entries.values()].map((entry) => (halfType(entry) ? sizeOf(entry.shape) : 0));
    const elements = sizes.reduce((sum, size) => sum + size, 0);
    if (elements === 0) return;
    this.halves = {
      stay: elements >= MANY_HALVES,
      type: (name) => halfType(this.entry(name)),
      read: (name) => {
        const { load, bytes } = this.entry(name);
        return new Uint16Array(load(0, bytes));
      },
    };
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /** The array as floats, whatever it is on disk. Throws UserError for an unknown name or a cut file. */
  read(name: string): Float32Array {
    return floats(this.readArray(name));
  }

  /** The array as it is: floats of any width as Float32Array, u8, i32 and i64 as Int32Array. */
  readArray(name: string): Float32Array | Int32Array {
    const entry = this.entry(name);
    const { bytes, load, shape, transposed } = entry;
    const data = this.decoder(name, entry)(load(0, bytes));
    return transposed ? transpose(data, shape[1]!, shape[0]!) : data;
  }

  /**
   * Lines of a matrix: its rows (axis 0) or columns (axis 1) at `indices`. Those that lie together are read alone; else
   * the file is read once, a piece at a time.
   *
   * @returns `[indices, other axis]`
   */
  lines(name: string, axis: 0 | 1, indices: readonly number[]): Float32Array {
    const entry = this.entry(name);
    const decode = this.decoder(name, entry);
    const { load, shape, transposed, dtype } = entry;
    const [across, along] = [shape[1 - axis]!, shape[axis]!];
    const width = elementBytes.get(dtype)!;
    const out = new Float32Array(indices.length * across);
    if ((axis === 0) !== (transposed === true)) {
      for (const [i, index] of indices.entries())
        out.set(decode(load(index * across * width, across * width)), i * across);
      return out;
    }
    const step = Math.max(1, Math.floor(CHUNK / (along * width)));
    for (let start = 0; start < across; start += step) {
      const count = Math.min(step, across - start);
      const part = decode(load(start * along * width, count * along * width));
      for (const [i, index] of indices.entries())
        for (let row = 0; row < count; row++) out[i * across + start + row] = part[row * along + index]!;
    }
    return out;
  }

  private decoder(name: string, { dtype, path }: StoredArray) {
    const decode = decoders.get(dtype);
    if (decode) return decode;
    throw new UserError(
      `"${name}" in ${path} is stored as ${dtype}, which cannot be read (f64, f32, f16, bf16, u8, i32 and i64 can)`,
    );
  }

  private entry(name: string): StoredArray {
    const entry = this.entries.get(name);
    if (!entry) throw new UserError(`${this.path} has no array named "${name}"`);
    return entry;
  }
}

const floats = (array: Float32Array | Int32Array): Float32Array =>
  array instanceof Float32Array ? array : Float32Array.from(array);

/** A matrix `[rows, columns]` as `[columns, rows]`. */
function transpose<T extends Float32Array | Int32Array>(data: T, rows: number, columns: number): T {
  const out = data.slice() as T;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]!;
  return out;
}
