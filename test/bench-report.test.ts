/** @file bench/README.md is what the result files say, and every figure has a script that makes it. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { benchPage } from '../bench/report/page.js';
import { figureOf, isLost, readResultFile } from '../bench/report/result-file.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'bench/README.md'), 'utf8');

/** A result file with one claim. */
function resultFile(record: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'superstim-bench-report-')), 'result.json');
  writeFileSync(path, JSON.stringify([record]));
  return path;
}
const source = { command: 'npx tsx bench/x.ts', commit: 'abc1234', date: '2026-11-30', machine: '2 cores' };

test('the committed page is what `npm run bench:report` makes of the result files', () => {
  expect(page).toBe(benchPage(join(root, 'bench')));
});

test('every source names scripts of this repository, and a commit', () => {
  const rows = [...page.matchAll(/^\| \[\d+\] \| `(.+)` \| (\S+) \|/gm)];
  expect(rows.length).toBeGreaterThan(10);
  for (const [, command, commit] of rows) {
    const scripts = command!.match(/(bench|tools)\/\S+\.(ts|py)\b/g) ?? [];
    expect(scripts, command).not.toEqual([]);
    for (const script of scripts) expect(existsSync(join(root, script)), script).toBe(true);
    expect(commit).toMatch(/^[0-9a-f]{7,40}$/);
  }
});

test('every claim has a source in the list', () => {
  const claims = [...page.matchAll(/^\| .+ \| ((?:\[\d+\] ?)+) \|$/gm)].map(([, numbers]) => numbers!);
  expect(claims.length).toBeGreaterThan(30);
  for (const number of claims.flatMap((numbers) => numbers.split(' ')))
    expect(page).toContain(`\n| ${number} | `);
});

test('pairs become ratios; what is lost depends on which side is better', () => {
  const claim = { claim: 'c', than: 'x', ours: [2, 6, 9], theirs: [1, 2, 9], unit: 's' };
  const path = resultFile({
    ...source,
    claims: [
      { ...claim, better: 'less' },
      { ...claim, better: 'more' },
    ],
  });
  const [less, more] = readResultFile(path)[0]!.claims;
  expect(figureOf(less!)).toEqual({ median: 2, least: 1, most: 3 });
  expect([isLost(less!), isLost(more!)]).toEqual([true, false]);
});

test('a result without a command, or with pairs that do not match, is refused by name', () => {
  const claim = { claim: 'speed', than: 'x', better: 'less', ours: [1, 2], theirs: [1], unit: 's' };
  expect(() => readResultFile(resultFile({ ...source, command: '', claims: [claim] }))).toThrow(
    /result\.json: [\s\S]*\[0\]\.command/,
  );
  const alone = { claim: 'speed', ours: [1] };
  expect(() => readResultFile(resultFile({ ...source, claims: [alone] }))).toThrow(
    /a claim has "claim" and "values"/,
  );
  expect(() => readResultFile(resultFile({ ...source, claims: [claim] }))).toThrow(
    /result\.json: [\s\S]*as many "ours" as "theirs"[\s\S]*\[0\]\.claims\[0\]/,
  );
});
