/** @file Tiny transformers with PyTorch's values: those of this repository, and those of ../shared where it is there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shared } from './shared.js';

export interface TransformerFixture {
  readonly name: string;
  readonly folder: string;
}

function fixturesIn(path: string): TransformerFixture[] {
  return readdirSync(path).map((name) => ({ name, folder: join(path, name) }));
}

const beside = shared('fixtures/transformers');

export const fixtureSources: readonly [title: string, fixtures: TransformerFixture[], missing: boolean][] = [
  [
    'fixtures of this repository',
    fixturesIn(fileURLToPath(new URL('../fixtures/transformers', import.meta.url))),
    false,
  ],
  [beside.title('larger fixtures'), beside.missing ? [] : fixturesIn(beside.path), beside.missing],
];
