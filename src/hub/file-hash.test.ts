import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { hashFile } from './file-hash.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-hash-'));
afterAll(() => rmSync(place, { recursive: true }));
const file = join(place, 'weights');
const cache = join(place, 'cache');
const bytes = Buffer.alloc(16_000_001, 'x');
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const records = () => readdirSync(place).includes('cache') && readdirSync(join(cache, 'hashes'));

it('keeps the hash of a large file that has settled, and sees that it changed', async () => {
  writeFileSync(file, bytes);
  expect(await hashFile(file, undefined, cache)).toBe(sha256(bytes));
  expect(records()).toBe(false);

  await sleep(2100);
  expect(await hashFile(file, undefined, cache)).toBe(sha256(bytes));
  const [record] = records() as string[];
  // What is kept is what is given: a mark in the record shows up.
  const path = join(cache, 'hashes', record!);
  const marked = readFileSync(path, 'utf8').replace(sha256(bytes), '0'.repeat(64));
  writeFileSync(path, marked);
  expect(await hashFile(file, undefined, cache)).toBe('0'.repeat(64));

  // Another content of the same size, with its old time put back.
  const { atime, mtime } = statSync(file);
  bytes[1] = 0;
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
  expect(await hashFile(file, undefined, cache)).toBe(sha256(bytes));

  writeFileSync(path, 'damaged');
  expect(await hashFile(file, undefined, cache)).toBe(sha256(bytes));
});

it('reads small files each time', async () => {
  writeFileSync(file, 'x');
  expect(await hashFile(file, undefined, join(place, 'unused'))).toBe(sha256(Buffer.from('x')));
  expect(readdirSync(place)).not.toContain('unused');
});
