import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tokenizerFiles } from '../../../tools/made-up-tokenizer.js';
import { readTokenizer } from './tokenizer-file.js';

const folder = mkdtempSync(join(tmpdir(), 'tokenizer-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Node {
  readonly children: ReadonlyMap<string, Node>;
}

it('a Unigram tokenizer has one empty table for the ends of all tokens, and reads as before', async () => {
  for (const [name, content] of Object.entries(tokenizerFiles(60)))
    writeFileSync(join(folder, name), JSON.stringify(content));
  const { tokenizer } = await readTokenizer(folder, 60);
  const { trie } = tokenizer._tokenizer.model as unknown as { readonly trie: { readonly root: Node } };
  const tables = (node: Node): ReadonlyMap<string, Node>[] =>
    node.children.size === 0 ? [node.children] : [...node.children.values()].flatMap(tables);
  const all = tables(trie.root);
  expect(all).toHaveLength(60);
  expect(new Set(all).size).toBe(1);
  expect(tokenizer.encode('aaac aabz')).toEqual([3, 52]);
});
