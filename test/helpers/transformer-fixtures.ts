/** @file Tiny transformers with PyTorch's values: those of this repository, and those of ../shared where it is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shared } from './shared.js';

/** Architectures that are not read yet, by `model_type`: the message that refuses one names it. */
const unknownArchitectures = ['gpt_oss', 'mixtral', 'qwen3_moe'];

/** Settings of known architectures that are not read yet, by fixture: what the message says. */
const unknownSettings: Readonly<Record<string, string>> = {};

export interface TransformerFixture {
  readonly name: string;
  readonly folder: string;
  /** Part of the message that refuses it; null where the network is read. */
  readonly refusal: string | null;
}

/** Texts that are longer than the context that is read: Phi-3's beyond that of pre-training. */
const beyondContext = ['phi3-longrope-long'];

function fixturesIn(path: string): TransformerFixture[] {
  const names = readdirSync(path).filter((name) => !beyondContext.includes(name));
  return names.map((name) => {
    const folder = join(path, name);
    const { model_type: type } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const refusal = unknownArchitectures.includes(type)
      ? `the architecture "${type}"`
      : unknownSettings[name];
    return { name, folder, refusal: refusal ?? null };
  });
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
