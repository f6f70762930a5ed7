import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UserError } from '../core/errors.js';
import { writeWhole } from './write-whole.js';

const folder = mkdtempSync(join(tmpdir(), 'write-whole-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a file has every byte of a text', () => {
  const path = join(folder, 'out');
  const fd = openSync(path, 'w');
  const text = 'naïve – 😀\n'.repeat(100_000);
  writeWhole({ fd, write: () => expect.fail('not by the stream') }, text);
  closeSync(fd);
  expect(readFileSync(path, 'utf8') === text).toBe(true);
});

it('what is no file is written by the stream', () => {
  const written: string[] = [];
  writeWhole({ write: (text) => written.push(text) }, 'text');
  expect(written).toEqual(['text']);
});

it.runIf(process.platform === 'linux')('a full disk is an error in a sentence', () => {
  const fd = openSync('/dev/full', 'w');
  const write = () => writeWhole({ fd, write: () => undefined }, 'text');
  expect(write).toThrow(UserError);
  expect(write).toThrow(/write the result/);
  closeSync(fd);
});
