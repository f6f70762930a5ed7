/** @file Bytes of a text file as text: UTF-8, or UTF-16 by its byte-order mark. Nothing else is guessed. */
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { UserError } from './errors.js';

/** Decodes a file chunk by chunk. A byte-order mark at the start is left out. */
export class StrictDecoder {
  private decoder: TextDecoder | null = null;
  /** The last bytes of the chunk before, where a character may have begun. */
  private before: Uint8Array = new Uint8Array(0);
  private done = 0;

  /** @param path - of the file, for messages */
  constructor(private readonly path: string) {}

  /** @throws UserError for binary data and for other encodings, with the byte where it shows */
  decode(chunk: Uint8Array): string {
    this.decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true });
    const isUtf8 = this.decoder.encoding === 'utf-8';
    if (isUtf8 && chunk.includes(0)) throw this.binary();
    let text: string;
    try {
      text = this.decoder.decode(chunk, { stream: true });
    } catch {
      throw isUtf8 ? this.notUtf8(chunk) : this.notUtf16();
    }
    if (text.includes('\0')) throw this.binary();
    this.done += chunk.length;
    this.before = chunk.slice(-3);
    return text;
  }

  /** @throws UserError when the last character is cut off */
  end(): void {
    try {
      this.decoder?.decode();
    } catch {
      throw this.refused('its last character is cut off; get the whole file, or remove its last line');
    }
  }

  private binary(): UserError {
    return this.refused(
      'it has NUL characters, as binary data and UTF-16 without a byte-order mark do; give text in UTF-8',
    );
  }

  private notUtf16(): UserError {
    return this.refused(
      `it begins with the mark of UTF-16, but is none after byte ${this.done}; save it in UTF-8`,
    );
  }

  private notUtf8(chunk: Uint8Array): UserError {
    const begin = this.before.findIndex((byte) => (byte & 0xc0) !== 0x80);
    const tail = begin === -1 ? new Uint8Array(0) : this.before.subarray(begin);
    const bytes = Buffer.concat([tail, chunk]);
    const at = faultIn(bytes);
    const value = bytes[at]!.toString(16).padStart(2, '0');
    return this.refused(
      `byte ${this.done - tail.length + at} of its text (0x${value}) is not UTF-8; save it in UTF-8, from Windows-1252 for example with "iconv -f WINDOWS-1252 -t UTF-8"`,
    );
  }

  private refused(why: string): UserError {
    return new UserError(`could not read ${this.path}: ${why}`);
  }
}

/** Where the first character that is not UTF-8 begins. */
function faultIn(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let at = bytes.findIndex((_, i) => {
    try {
      decoder.decode(bytes.subarray(i, i + 1), { stream: true });
      return false;
    } catch {
      return true;
    }
  });
  while (!isUtf8(bytes.subarray(0, at))) at--;
  return at;
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return 'utf-8';
}
