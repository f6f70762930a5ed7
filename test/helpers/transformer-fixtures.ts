/** @file Tiny transformers with PyTorch's values: those of this repository, and those of ../shared where it is there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shared } from './shared.js';

export interface TransformerFixture {
  readonly name: string;
  readonly folder: string;
}

/** Texts that are longer than the context that is read: Phi-3's beyond that of pre-training. */
const beyondContext = ['phi3-longrope-long'];

function fixturesIn(path: string): TransformerFixture[] {
  const names = readdirSync(path).filter((name) => !beyondContext.includes(name));
  return names.map((name) => ({ name, folder: join(path, name) }));
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
