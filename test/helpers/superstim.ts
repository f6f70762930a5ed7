/** @file The built command as a user runs it, in a place of its own that goes when the tests end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { SearchResult } from '../../src/text/search/search.js';
import { bin, type Ended, end, start } from './command.js';

export const place = mkdtempSync(join(tmpdir(), 'superstim-test-'));
afterAll(() => rmSync(place, { recursive: true }));

export const env = {
  SUPERSTIM_CACHE: join(place, 'cache'),
  HF_HUB_CACHE: join(place, 'hub'),
  HF_HUB_OFFLINE: '1',
};
export const superstim = (flags: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  end(start([bin, ...flags], { ...env, ...more }));

/** Runs a command that must succeed, and reads what it prints. */
export async function json<T>(...flags: string[]): Promise<T> {
  const { code, stdout, stderr } = await superstim([...flags, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout) as T;
}

export type TextDocument = SearchResult & { run: string };

export const books = ['--model', 'books-lm'];
export const sentence = ['--text', 'It was the best of times, it was the worst of times.'];
export const runs = join(place, 'runs');
export const search = (unit: string, evaluations: number, ...more: string[]) => [
  'text',
  '--unit',
  unit,
  '--evaluations',
  String(evaluations),
  '--out',
  runs,
  ...more,
];

export const isNumber = expect.any(Number);
export const scored = {
  text: expect.any(String),
  token_ids: expect.any(Array),
  cross_entropy: isNumber,
  raw: isNumber,
  z: isNumber,
  margin: isNumber,
  rank: isNumber,
};
