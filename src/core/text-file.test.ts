/** Text files of every kind, written here. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { fuzz } from '../../test/helpers/fuzz.js';
import { mutateBytes } from '../../test/helpers/mutate.js';
import { readTextFile } from './text-file.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-text-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.txt');

async function textOf(bytes: Uint8Array | string, name = path): Promise<string> {
  writeFileSync(name, bytes);
  let text = '';
  for await (const stretch of readTextFile(name)) text += stretch.text;
  return text;
}

/** More than one chunk, with characters of one to four bytes across every boundary. */
const long = 'Où est l’été ? 東京 🙂. '.repeat(6000);
const utf16 = (text: string, order: 'le' | 'be') => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('readTextFile', () => {
  it('reads UTF-8, and UTF-16 by its mark; marks are left out', async () => {
    for (const bytes of [long, `\uFEFF${long}`, utf16(long, 'le'), utf16(long, 'be')])
      expect((await textOf(bytes)) === long).toBe(true);
    expect(await textOf('')).toBe('');
  });

  it('unpacks gzip by what is in the file, not by its name', async () => {
    expect((await textOf(gzipSync(long))) === long).toBe(true);
    expect(await textOf(gzipSync(utf16('a b', 'be')))).toBe('a b');
    expect(await textOf('plain', join(folder, 'plain.txt.gz'))).toBe('plain');
  });

  it('names the file, and the byte, of what it cannot read', async () => {
    const says = (bytes: Uint8Array | string) =>
      expect(textOf(bytes)).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringContaining(`could not read ${path}: `),
      });
    const message = (bytes: Uint8Array) => textOf(bytes).catch((error: Error) => error.message);
    const latin = Buffer.from(`${'x'.repeat(70_000)} caf\xe9 noir`, 'latin1');
    expect(await message(latin)).toMatch(/byte 70004 of its text \(0xe9\) is not UTF-8; save it in UTF-8/);
    // A character that begins in one chunk and is spoilt in the next.
    const split = Buffer.concat([Buffer.from('x'.repeat(65_534)), Buffer.from([0xe2, 0x80, 0x41])]);
    expect(await message(split)).toMatch(/byte 65534 of its text \(0xe2\)/);
    expect(await message(gzipSync(latin).subarray(0, 60))).toMatch(/gzip file but is damaged/);
    expect(await message(gzipSync(long).fill(7, 30, 90))).toMatch(/gzip file but is damaged/);
    expect(await message(Buffer.from('ab\0c'))).toMatch(/NUL characters/);
    expect(await message(Buffer.from([0x61, 0, 0xff]))).toMatch(/NUL characters/);
    expect(await message(utf16('a\0b', 'be'))).toMatch(/NUL characters/);
    expect(await message(utf16('ab', 'le').subarray(2))).toMatch(/NUL characters/);
    expect(await message(Buffer.from('caf\u00e9').subarray(0, 4))).toMatch(/cut off/);
    await says(Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00]));
    await says(utf16('abc', 'le').subarray(0, 7));
  });

  it('reads what the file had when it was opened, not what is added meanwhile', async () => {
    writeFileSync(path, long);
    let text = '';
    for await (const stretch of readTextFile(path)) {
      text += stretch.text;
      if (text.length < 2 * long.length) appendFileSync(path, 'x'.repeat(100_000));
    }
    expect(text === long).toBe(true);
  });

  it('refuses pipes, devices and folders', async () => {
    const reading = (name: string) => readTextFile(name).next();
    await expect(reading(folder)).rejects.toThrow(/folder, not a file/);
    await expect(reading(join(folder, 'none.txt'))).rejects.toThrow(/no such file/);
    if (process.platform === 'win32') return;
    const pipe = join(folder, 'pipe.txt');
    execFileSync('mkfifo', [pipe]);
    await expect(reading(pipe)).rejects.toThrow(/pipe/);
    await expect(reading('/dev/zero')).rejects.toThrow(/device/);
  });

  it('reads one long line in short stretches, in bounded memory, and lets signals through between them', async () => {
    writeFileSync(path, 'y🙂'.repeat(4_000_000));
    const before = process.memoryUsage().rss;
    let [longest, count, heard] = [0, 0, true];
    for await (const { text } of readTextFile(path)) {
      longest = Math.max(longest, text.length);
      if (count++ === 1000) expect(Buffer.from(text).toString() === text).toBe(true);
      expect(heard).toBe(true);
      heard = false;
      setImmediate(() => {
        heard = true;
      });
    }
    expect(longest).toBeLessThanOrEqual(4096);
    expect(process.memoryUsage().rss - before).toBeLessThan(80e6);
  });

  it('answers every damaged file with its text or one sentence', async () => {
    const originals = [
      'a “b” ç\n\nd'.repeat(40),
      utf16('a b é\n'.repeat(40), 'be'),
      gzipSync('ab cd\n'.repeat(400)),
    ];
    const report = await fuzz(
      (random) => textOf(mutateBytes(Buffer.from(random.pick(originals) as string), random)),
      { count: 400, seed: 1 },
    );
    expect(report.faults).toEqual([]);
    expect(report.right).toBeGreaterThan(50);
    expect(report.refused).toBeGreaterThan(50);
  });
});
