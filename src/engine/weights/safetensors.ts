/**
 * @file The safetensors format: named arrays in one file, or in several with an index.
 *
 * A file is the header's length (u64), the header (JSON: name -> dtype, shape, byte range) and the bytes, all
 * little-endian. Opening reads headers only; an array is read, as a range of its file, when it is asked for.
 */
import { existsSync, fstatSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { foreignFormat } from '../../core/foreign-formats.js';
import { inside } from '../../core/inside.js';
import { readRegularFile } from '../../core/regular-file.js';
import { sizeOf } from '../tensor-spec.js';
import { readExactly, readRange, truncated, withFile } from './byte-ranges.js';
import { f16FromFloat32, float32FromBf16, float32FromF16 } from './half.js';
import type { WeightArray, WeightSource } from './weights.js';

/** Bytes an element, for every element type of the format whose elements are whole bytes. */
const elementBytes = new Map<string, number>(
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
  ['I32', (bytes) => new Int32Array(bytes)],
  ['I64', (bytes) => Int32Array.from(new BigInt64Array(bytes), Number)],
]);

/** Where an array lies. */
interface Entry {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly start: number;
  readonly bytes: number;
}

/** Arrays of one safetensors file or of the shards of one model; also the weights of a network. */
export class Safetensors implements WeightSource {
  constructor(
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly path: string,
    /** Free text kept in the header; empty for shards. */
    readonly metadata: Readonly<Record<string, string>> = {},
  ) {}

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
    const array = this.readArray(name);
    return array instanceof Float32Array ? array : Float32Array.from(array);
  }

  /** The array as it is: floats of any width as Float32Array, i32 and i64 as Int32Array. */
  readArray(name: string): Float32Array | Int32Array {
    const { path, dtype, start, bytes } = this.entry(name);
    const decode = decoders.get(dtype);
    if (!decode) {
      throw new UserError(
        `"${name}" in ${path} is stored as ${dtype}, which cannot be read (f64, f32, f16, bf16, i32 and i64 can)`,
      );
    }
    return decode(readRange(path, start, bytes));
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (!entry) throw new UserError(`${this.path} has no array named "${name}"`);
    return entry;
  }
}

/**
 * Opens one file: reads and checks its header, no data.
 *
 * @throws UserError when the file is missing, cut short, or no safetensors file
 */
export function openSafetensors(path: string): Safetensors {
  const { entries, metadata } = readHeader(path);
  return new Safetensors(entries, path, metadata);
}

/**
 * Opens the weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json`
 * names.
 *
 * @throws UserError when there is neither, or a file is missing or damaged
 */
export function openSafetensorsFolder(folder: string): Safetensors {
  const single = join(folder, 'model.safetensors');
  const index = join(folder, 'model.safetensors.index.json');
  if (existsSync(single)) return openSafetensors(single);
  if (existsSync(index)) return openShards(index);
  const foreign = foreignFormat(existsSync(folder) ? readdirSync(folder) : []);
  throw new UserError(
    foreign !== null
      ? `${folder} has no model.safetensors: ${foreign}`
      : `${folder} has no model.safetensors and no model.safetensors.index.json; put the model's weights there`,
  );
}

/** Headers and indices of real models stay far below this; more means the first bytes are no length. */
const MAX_HEADER_BYTES = 50_000_000;
/** Axes of an array, and characters of its name. */
const MAX_RANK = 16;
const MAX_NAME = 1000;

function openShards(indexPath: string): Safetensors {
  const folder = dirname(indexPath);
  const text = readRegularFile(indexPath, MAX_HEADER_BYTES).toString();
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown }).weight_map;
  } catch (error) {
    throw new UserError(`${indexPath} is not valid JSON`, { cause: error });
  }
  const isMap = typeof map === 'object' && map !== null && !Array.isArray(map);
  if (!isMap || !Object.values(map as object).every((shard) => typeof shard === 'string'))
    throw new UserError(`${indexPath} has no "weight_map" from weight names to file names`);
  const weightMap = new Map(Object.entries(map as Record<string, string>));
  for (const name of weightMap.keys())
    if (!isName(name)) throw new UserError(`${indexPath} has a weight with the odd name ${quoted(name)}`);

  const shards = new Map<string, ReadonlyMap<string, Entry>>();
  for (const shard of new Set(weightMap.values())) {
    const path = inside(folder, shard, indexPath);
    if (!existsSync(path)) throw new UserError(`${indexPath} names the shard "${shard}", which is missing`);
    shards.set(shard, readHeader(path).entries);
  }
  const entries = new Map<string, Entry>();
  for (const [name, shard] of weightMap) {
    const entry = shards.get(shard)!.get(name);
    if (!entry) throw new UserError(`${indexPath} says that "${name}" is in ${shard}, where it is not`);
    entries.set(name, entry);
  }
  return new Safetensors(entries, indexPath);
}

interface Header {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
}

function readHeader(path: string): Header {
  const garbled = (what: string, cause?: unknown) =>
    new UserError(`${path} is not a safetensors file: ${what}`, { cause });
  return withFile(path, (file) => {
    const fileBytes = fstatSync(file).size;
    if (fileBytes < 8) throw garbled(`it has ${fileBytes} bytes`);
    const headerBytes = Number(new DataView(readExactly(file, path, 0, 8)).getBigUint64(0, true));
    if (headerBytes > MAX_HEADER_BYTES) throw garbled('its first bytes are no header length');
    if (8 + headerBytes > fileBytes) throw truncated(path, fileBytes, 8 + headerBytes);
    let header: unknown;
    try {
      header = JSON.parse(
        new TextDecoder('utf-8', { fatal: true }).decode(readExactly(file, path, 8, headerBytes)),
      );
    } catch (error) {
      throw garbled('its header is no JSON', error);
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header))
      throw garbled('its header is no JSON object');

    const { __metadata__: metadata, ...arrays } = header as Record<string, unknown>;
    const entries = new Map<string, Entry>();
    for (const [name, value] of Object.entries(arrays)) {
      const entry = isName(name) ? parseEntry(value, path, 8 + headerBytes) : null;
      if (!entry) throw garbled(`the entry of ${quoted(name)} makes no sense`);
      if (entry.start + entry.bytes > fileBytes) throw truncated(path, fileBytes, entry.start + entry.bytes);
      entries.set(name, entry);
    }
    const texts = Object.entries(metadata ?? {}).filter(([, text]) => typeof text === 'string');
    return { entries, metadata: Object.fromEntries(texts) as Record<string, string> };
  });
}

function parseEntry(value: unknown, path: string, dataStart: number): Entry | null {
  const { dtype, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  const isSizes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length <= MAX_RANK && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (
    typeof dtype !== 'string' ||
    !/^\w{1,16}$/.test(dtype) ||
    !isSizes(shape) ||
    !isSizes(range) ||
    range.length !== 2
  )
    return null;
  const [begin, end] = range as [number, number];
  const width = elementBytes.get(dtype);
  if (end < begin || (width !== undefined && end - begin !== width * sizeOf(shape))) return null;
  return { path, dtype, shape, start: dataStart + begin, bytes: end - begin };
}

/** Whether something can name an array: short, and nothing that acts on a terminal. */
function isName(name: string): boolean {
  return name.length <= MAX_NAME && !/[\p{Cc}\p{Bidi_C}]/u.test(name);
}

/** For messages: cut, and without what acts on a terminal. */
function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 80).replace(/[\p{Cc}\p{Cf}]/gu, '�'));
}

export interface WriteOptions {
  /** Element type on disk; f16 halves the size and keeps 3 digits. */
  readonly dtype?: 'F32' | 'F16';
  /** Free text kept in the header. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes arrays to one file, which appears by rename when it is whole. */
export function writeSafetensors(
  path: string,
  arrays: Iterable<readonly [name: string, array: WeightArray]>,
  { dtype = 'F32', metadata }: WriteOptions = {},
): void {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of arrays) {
    if (data.length !== sizeOf(shape))
      throw new Error(`"${name}" has ${data.length} elements for the shape [${shape}]`);
    const stored = dtype === 'F16' ? f16FromFloat32(data) : data;
    header[name] = { dtype, shape, data_offsets: [offset, offset + stored.byteLength] };
    parts.push(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    offset += stored.byteLength;
  }
  // Spaces after the JSON align the data.
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);

  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, Buffer.concat([length, padded, ...parts]));
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UserError(`could not write ${path} (${code})`, { cause: error });
  }
}
