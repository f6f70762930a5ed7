/** @file Documentation holds together: every page has a place in the index, links lead somewhere, named files exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const under = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join(folder, path));
const pages = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...under('docs'), ...under('models')];
const read = (page: string) => readFileSync(join(root, page), 'utf8');

/** Relative links of a page: the file, from the repository's root, and the heading in it. */
const linksOf = (page: string) =>
  [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, path, heading]) => ({
    file: path ? normalize(join(dirname(page), path)) : page,
    heading,
  }));

/** Headings as they are named in links. */
const headingsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every page of docs is listed in docs/README.md or in the index of decisions', () => {
  const indices = ['docs/README.md', 'docs/decisions/README.md'];
  const listed = new Set([...indices, ...indices.flatMap((page) => linksOf(page).map(({ file }) => file))]);
  expect(under('docs').filter((page) => !listed.has(page))).toEqual([]);
});

test('every relative link leads to a file, and to a heading that is there', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(
        ({ file, heading }) =>
          !existsSync(join(root, file)) || (heading !== undefined && !headingsOf(file).includes(heading)),
      )
      .map(({ file, heading }) => `${page}: ${relative('.', file)}${heading ? `#${heading}` : ''}`),
  );
  expect(broken).toEqual([]);
});

test('every source file that documentation names exists', () => {
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/\b(?:src|bench|test|tools)\/[\w/.-]*\.(?:tsx?|py)\b/g)]
      .map(([path]) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});
