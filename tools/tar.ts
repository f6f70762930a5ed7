/** @file The files of a tar archive, one after the other. */
import { createReadStream } from 'node:fs';
import { extract } from 'tar-stream';

export interface TarFile {
  readonly name: string;
  readonly data: Buffer;
}

export async function* readTar(path: string): AsyncGenerator<TarFile> {
  const files = createReadStream(path).pipe(extract());
  for await (const entry of files) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (entry.header.type === 'file') yield { name: entry.header.name, data: Buffer.concat(parts) };
  }
}
