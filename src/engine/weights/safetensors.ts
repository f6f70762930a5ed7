/**
 * @file The safetensors format: named arrays in one file, or in several with an index.
 *
 * A file is the header's length (u64), the header (JSON: name -> dtype, shape, byte range) and the bytes, all
 * little-endian. Opening reads headers only; an array is read, as a range of its file, when it is asked for.
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { foreignFormat } from '../../core/foreign-formats.js';
import { inside } from '../../core/inside.js';
import { readRegularFile } from '../../core/regular-file.js';
import { sizeOf } from '../tensor-spec.js';
import { truncated, withFile } from './byte-ranges.js';
import { bf16FromFloat32, f16FromFloat32 } from './half.js';
import {
  arrayInFile,
  elementBytes,
  isName,
  isShape,
  NamedArrays,
  quoted,
  type StoredArray,
} from './named-arrays.js';
import type { WeightArray } from './weights.js';

/** Arrays of one safetensors file or of the shards of one model. */
export class Safetensors extends NamedArrays {
  constructor(
    entries: ReadonlyMap<string, StoredArray>,
    path: string,
    /** Free text kept in the header; empty for shards. */
    readonly metadata: Readonly<Record<string, string>> = {},
  ) {
    super(entries, path);
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

  const shards = new Map<string, ReadonlyMap<string, StoredArray>>();
  for (const shard of new Set(weightMap.values())) {
    const path = inside(folder, shard, indexPath);
    if (!existsSync(path)) throw new UserError(`${indexPath} names the shard "${shard}", which is missing`);
    shards.set(shard, readHeader(path).entries);
  }
  const entries = new Map<string, StoredArray>();
  for (const [name, shard] of weightMap) {
    const entry = shards.get(shard)!.get(name);
    if (!entry) throw new UserError(`${indexPath} says that "${name}" is in ${shard}, where it is not`);
    entries.set(name, entry);
  }
  return new Safetensors(entries, indexPath);
}

interface Header {
  readonly entries: ReadonlyMap<string, StoredArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

function readHeader(path: string): Header {
  const garbled = (what: string, cause?: unknown) =>
    new UserError(`${path} is not a safetensors file: ${what}`, { cause });
  return withFile(path, (fileBytes, read) => {
    if (fileBytes < 8) throw garbled(`it has ${fileBytes} bytes`);
    const headerBytes = Number(new DataView(read(0, 8)).getBigUint64(0, true));
    if (headerBytes > MAX_HEADER_BYTES) throw garbled('its first bytes are no header length');
    const text = read(8, headerBytes);
    let header: unknown;
    try {
      header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    } catch (error) {
      throw garbled('its header is no JSON', error);
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header))
      throw garbled('its header is no JSON object');

    const { __metadata__: metadata, ...arrays } = header as Record<string, unknown>;
    const entries = new Map<string, StoredArray>();
    for (const [name, value] of Object.entries(arrays)) {
      const entry = isName(name) ? parseEntry(value) : null;
      if (!entry) throw garbled(`the entry of ${quoted(name)} makes no sense`);
      const { dtype, shape, bytes } = entry;
      const start = 8 + headerBytes + entry.begin;
      if (start + bytes > fileBytes) throw truncated(path, fileBytes, start + bytes);
      entries.set(name, arrayInFile(path, dtype, shape, { start, bytes }));
    }
    const texts = Object.entries(metadata ?? {}).filter(([, text]) => typeof text === 'string');
    return { entries, metadata: Object.fromEntries(texts) as Record<string, string> };
  });
}

/** What the header says of one array. Its bytes begin `begin` bytes after the header. */
interface ArrayEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly bytes: number;
}

function parseEntry(value: unknown): ArrayEntry | null {
  const { dtype, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  if (
    typeof dtype !== 'string' ||
    !/^\w{1,16}$/.test(dtype) ||
    !isShape(shape) ||
    !isShape(range) ||
    range.length !== 2
  )
    return null;
  const [begin, end] = range as [number, number];
  const width = elementBytes.get(dtype);
  if (end < begin || (width !== undefined && end - begin !== width * sizeOf(shape))) return null;
  return { dtype, shape, begin, bytes: end - begin };
}

const encoders = {
  F32: (data: Float32Array) => data,
  F16: f16FromFloat32,
  BF16: bf16FromFloat32,
};

export interface WriteOptions {
  /** Element type on disk; f16 halves the size and keeps 3 digits, bf16 2. */
  readonly dtype?: keyof typeof encoders;
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
    const stored = encoders[dtype](data);
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
