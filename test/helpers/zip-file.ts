/** @file Zip archives for tests, in bytes. */
import { deflateRawSync } from 'node:zlib';

export interface ZipOptions {
  readonly packed?: boolean;
  /** The flag of encrypted members. */
  readonly encrypted?: boolean;
  /** Sizes and places stand in the extra field, as of archives of more than 4 GB. */
  readonly zip64?: boolean;
}

/** An archive of members; its checksums are 0, which no reader here looks at. */
export function zipFile(
  members: Readonly<Record<string, Uint8Array>>,
  { packed = false, encrypted = false, zip64 = false }: ZipOptions = {},
): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const stored = packed ? deflateRawSync(content) : Buffer.from(content);
    const label = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(encrypted ? 1 : 0, 2);
    common.writeUInt16LE(packed ? 8 : 0, 4);
    common.writeUInt32LE(zip64 ? 0xffffffff : stored.length, 14);
    common.writeUInt32LE(zip64 ? 0xffffffff : content.length, 18);
    common.writeUInt16LE(label.length, 22);
    parts.push(Buffer.from('PK\x03\x04'), common, label, stored);
    const extra = Buffer.alloc(zip64 ? 28 : 0);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      for (const [i, n] of [content.length, stored.length, offset].entries())
        extra.writeBigUInt64LE(BigInt(n), 4 + 8 * i);
    }
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(zip64 ? 0xffffffff : offset, 10);
    const head = Buffer.concat([Buffer.from('PK\x01\x02\0\0'), common]);
    head.writeUInt16LE(extra.length, 30);
    entries.push(head, rest, label, extra);
    offset += 30 + label.length + stored.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  if (!zip64) return Buffer.concat([...parts, directory, end]);
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + directory.length), 8);
  return Buffer.concat([...parts, directory, record, locator, end]);
}
