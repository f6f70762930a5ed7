/** @file The last line of a log, without reading what is before it. */
import { readSync } from 'node:fs';

const PIECE = 256 * 1024;

/** Where the line begins that ends before `end`, bytes. */
export function lineStart(file: number, end: number): number {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let stop = end; stop > 0; ) {
    const length = Math.min(PIECE, stop);
    const count = readSync(file, piece, 0, length, stop - length);
    const newline = piece.subarray(0, count).lastIndexOf(0x0a);
    stop -= length;
    if (newline >= 0) return stop + newline + 1;
  }
  return 0;
}

/** The line that ends before `end`; of one longer than `limit` bytes the first so many. */
export function lineBefore(file: number, end: number, limit: number): string {
  const start = lineStart(file, end);
  const line = Buffer.allocUnsafe(Math.max(0, Math.min(limit, end - start)));
  return line.toString('utf8', 0, readSync(file, line, 0, line.length, start));
}
