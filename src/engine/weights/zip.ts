/**
 * @file Members of a zip archive, found from its directory (APPNOTE 6.3.10), ZIP64 too. `.npz` and `.pt` files are such
 * archives. The usual libraries read members whole, or by callbacks; here ranges of members are read where they lie.
 */
import { inflateRawSync } from 'node:zlib';
import { UserError } from '../../core/errors.js';
import { once } from '../../core/once.js';
import { readRange, truncated, withFile } from './byte-ranges.js';

export interface ZipMember {
  /** Bytes when unpacked. */
  readonly size: number;
  /** A part of what it holds, unpacked. */
  readonly load: (start: number, bytes: number) => ArrayBuffer;
}

/** Directories of real archives stay far below this. */
const MAX_DIRECTORY = 50_000_000;
/** A packed member is unpacked in memory. */
const MAX_UNPACKED = 2 ** 31;

/**
 * The members of an archive by name. Reads its directory, no data.
 *
 * @throws UserError when the file is missing, cut short, damaged, or no zip archive
 */
export function openZip(path: string): ReadonlyMap<string, ZipMember> {
  const damaged = (what: string) => new UserError(`${path} is damaged: ${what}; download it again`);
  return withFile(path, (fileBytes, readBytes) => {
    const read = (start: number, bytes: number): DataView => new DataView(readBytes(start, bytes));
    const { start, bytes } = findDirectory(read, fileBytes, path);
    if (bytes > MAX_DIRECTORY) throw damaged(`its directory of ${bytes} bytes makes no sense`);
    const directory = read(start, bytes);
    const members = new Map<string, ZipMember>();
    for (let at = 0; at < directory.byteLength; ) {
      const entry = parseEntry(directory, at);
      if (entry === null) throw damaged('its directory makes no sense');
      const { name, header, stored, size, method } = entry;
      const local = read(header, 30);
      if (local.getUint32(0, true) !== LOCAL)
        throw damaged(`"${printable(name)}" is not where its directory says`);
      const data = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
      if (data + stored > fileBytes) throw truncated(path, fileBytes, data + stored);
      if (method === 0 && stored !== size) throw damaged(`the sizes of "${printable(name)}" disagree`);
      const load =
        method === 0
          ? (from: number, count: number) => readRange(path, data + from, count)
          : unpacking(path, { name, data, stored, size, method });
      members.set(name, { size, load });
      at = entry.end;
    }
    return members;
  });
}

const LOCAL = 0x04034b50;
const ENTRY = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** What stands where a number does not fit and ZIP64 has it. */
const IN_ZIP64 = 0xffffffff;

const printable = (name: string): string => name.slice(0, 80).replace(/[\p{Cc}\p{Cf}]/gu, '�');
const uint64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Where the directory lies: the record at the end of the file says it, with a comment of up to 64 kB behind. */
function findDirectory(
  read: (start: number, bytes: number) => DataView,
  fileBytes: number,
  path: string,
): { start: number; bytes: number } {
  const from = Math.max(0, fileBytes - 22 - 0xffff);
  const tail = read(from, fileBytes - from);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0)
    throw new UserError(
      `${path} is cut short or no zip archive: its directory is missing; download it again`,
    );
  const [bytes, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  const locator = at - 20;
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_64) return { start, bytes };
  const record = read(uint64(tail, locator + 8), 56);
  if (record.getUint32(0, true) !== END_64)
    throw new UserError(`${path} is damaged: its directory is not where it says; download it again`);
  return { bytes: uint64(record, 40), start: uint64(record, 48) };
}

interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  /** Where its own header lies. */
  readonly header: number;
  readonly stored: number;
  readonly size: number;
  /** Where the next entry begins. */
  readonly end: number;
}

/** Null for what makes no sense. */
function parseEntry(view: DataView, at: number): DirectoryEntry | null {
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== ENTRY) return null;
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((i) => view.getUint16(at + i, true)) as [
    number,
    number,
    number,
  ];
  const extra = at + 46 + nameBytes;
  const end = extra + extraBytes + commentBytes;
  if (end > view.byteLength) return null;
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameBytes));
  const wide = zip64Numbers(view, extra, extra + extraBytes);
  // In this order, and only those that do not fit.
  const [size, stored, header] = [24, 20, 42].map((i) => {
    const value = view.getUint32(at + i, true);
    return value === IN_ZIP64 ? (wide.shift() ?? value) : value;
  }) as [number, number, number];
  const encrypted = (view.getUint16(at + 8, true) & 1) === 1;
  return { name, method: encrypted ? -1 : view.getUint16(at + 10, true), header, stored, size, end };
}

/** The 64-bit numbers of an entry's extra field. */
function zip64Numbers(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; ) {
    const bytes = Math.min(view.getUint16(at + 2, true), end - at - 4);
    if (view.getUint16(at, true) === 1)
      return Array.from({ length: Math.floor(bytes / 8) }, (_, i) => uint64(view, at + 4 + 8 * i));
    at += 4 + bytes;
  }
  return [];
}

/** What loads parts of a packed member: it is unpacked once, when a part is asked for. */
function unpacking(
  path: string,
  { name, data, stored, size, method }: Omit<DirectoryEntry, 'header' | 'end'> & { readonly data: number },
): ZipMember['load'] {
  const member = `"${printable(name)}" in ${path}`;
  const unpacked = once((): Buffer => {
    if (method !== 8)
      throw new UserError(`${member} is encrypted or packed in a way that is not read; save it without`);
    if (size > MAX_UNPACKED)
      throw new UserError(
        `${member} is packed and has ${size} bytes, too many to unpack; save it without packing`,
      );
    try {
      const bytes = inflateRawSync(new Uint8Array(readRange(path, data, stored)), {
        maxOutputLength: size + 1,
      });
      if (bytes.length === size) return bytes;
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
    }
    throw new UserError(`${member} is damaged: it does not unpack; download it again`);
  });
  return (start, bytes) => {
    const part = unpacked().subarray(start, start + bytes);
    return Uint8Array.from(part).buffer;
  };
}
