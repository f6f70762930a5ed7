/** @file What importing an entry of the package loads: not more than it is about. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

/** Files and packages that a built file imports, itself and by others; what is imported on demand is not counted. */
function loaded(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s[^;'"=(]*['"]([^'"\n]+)['"]/gm);
    for (const { 1: name } of imports) {
      if (name!.startsWith('.')) visit(join(dirname(file), name!));
      else if (!name!.startsWith('node:')) packages.add(name!);
    }
  };
  visit(join(dist, `${entry}.js`));
  return { files: [...files].map((file) => relative(dist, file)), packages: [...packages].sort() };
}

describe('importing', () => {
  it('superstimulus loads nothing that is heavy', () => {
    const { files, packages } = loaded('index');
    expect(files).toContain('library/language-model.js');
    expect(files.length).toBeLessThan(20);
    expect(packages).toEqual([]);
  });

  it('superstimulus/runs loads no engine, no model and no picture', () => {
    const { files, packages } = loaded('runs');
    expect(files).toContain('jobs/job.js');
    expect(packages).toEqual(['zod']);
  });

  it.each([
    ['engine', /^(?:text|vision|rl|runs|jobs|hub|report|tui)\b/],
    ['text', /^(?:vision|jobs|media|report|tui)\b/],
    ['vision', /^(?:text|rl|report|tui)\b/],
    ['report', /^(?:tui|library)\b/],
  ])('superstimulus/%s loads no part that it does not need', (entry, others) => {
    const { files } = loaded(entry);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => others.test(file) && existsSync(join(dist, file)))).toEqual([]);
  });
});
