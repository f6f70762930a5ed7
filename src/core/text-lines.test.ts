import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { textLines } from './text-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'lines-'));
const file = join(folder, 'a.txt');
afterAll(() => rmSync(folder, { recursive: true }));

async function linesOf(text: string): Promise<string[]> {
  writeFileSync(file, text);
  const lines: string[] = [];
  for await (const line of textLines(file)) lines.push(line);
  return lines;
}

it('reads lines that are longer than what is read at once, and breaks of both kinds', async () => {
  const long = 'a word '.repeat(2000).trim();
  expect(await linesOf(`one\r\n${long}\n\nlast`)).toEqual(['one', long, '', 'last']);
});

it('refuses a line that never ends', async () => {
  await expect(linesOf('ab '.repeat(40_000))).rejects.toThrow('a line has more than 100000 characters');
});
