/** @file A text file that others made, as a stream in bounded memory; packed by gzip or not, whatever its name. */
import { createReadStream, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from './errors.js';
import { fileError } from './file-error.js';
import { openRegular } from './regular-file.js';
import { StrictDecoder } from './strict-decoder.js';

/** A part of a file's text. */
export interface TextStretch {
  readonly text: string;
  /** Bytes of the file read so far. */
  readonly bytes: number;
}

/** Characters of a stretch: enough that little is lost at its ends, few enough for the slowest tokenizers. */
const STRETCH = 4096;

/**
 * The text of a file in stretches of at most 4096 characters that end between words where there are any. Signals are
 * heard between two stretches: check there whether to stop.
 *
 * @throws UserError when it cannot be read, is no regular file, is no text in UTF-8 or UTF-16, or is damaged
 */
export async function* readTextFile(path: string): AsyncGenerator<TextStretch, void, void> {
  const { file, size } = openRegular(path);
  // Not beyond the size of now: what grows while it is read might never end.
  const source = createReadStream(path, { fd: file, start: 0, end: Math.max(0, size - 1) });
  const stream = isGzip(file) ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  const decoder = new StrictDecoder(path);
  let rest = '';
  try {
    for await (const chunk of stream) {
      rest += decoder.decode(chunk as Uint8Array);
      while (rest.length > STRETCH) {
        const end = lastBreak(rest.slice(0, STRETCH));
        yield { text: rest.slice(0, end), bytes: source.bytesRead };
        await nextTurn();
        rest = rest.slice(end);
      }
    }
    decoder.end();
  } catch (error) {
    throw readError(error, path);
  } finally {
    source.destroy();
  }
  yield { text: rest, bytes: source.bytesRead };
}

function isGzip(file: number): boolean {
  const magic = new Uint8Array(2);
  return readSync(file, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

function readError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_'))
    return new UserError(
      `could not read ${path}: it begins as a gzip file but is damaged (${message}); get it again`,
      { cause: error },
    );
  return fileError(error, `read ${path}`);
}

/** Where a text is best cut: after its last paragraph, else line, else word, else character. */
function lastBreak(text: string): number {
  for (const mark of ['\n\n', '\n', ' ']) {
    const at = text.lastIndexOf(mark);
    if (at > text.length / 2) return at + mark.length;
  }
  return text.length - (/[\ud800-\udbff]$/.test(text) ? 1 : 0);
}
