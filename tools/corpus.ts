/** @file The training corpus: gzipped documents in, a flat array of token ids out, kept in a work folder. */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import {
  type BpeEncoder,
  type BpeVocabulary,
  countWords,
  tokenizerJson,
  trainBpe,
  vocabularyOf,
} from './bpe-trainer.js';

const documentEnd = '<|endoftext|>';

/** The documents of a gzipped text, which a line of their own separates. */
export async function* readDocuments(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of createReadStream(path).pipe(createGunzip())) {
    pending += decoder.decode(chunk as Uint8Array, { stream: true });
    if (!pending.includes(documentEnd)) continue;
    const documents = pending.split(documentEnd);
    pending = documents.pop()!;
    for (const document of documents) if (document.trim()) yield document.trim();
  }
  if (pending.trim()) yield pending.trim();
}

/** Written under another name and renamed, so that a file that is there is whole. */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, data);
  await rename(`${path}.part`, path);
}

/** The vocabulary of a work folder, trained on `corpus` when it is not there. */
export async function corpusVocabulary(work: string, corpus: string, size: number): Promise<BpeVocabulary> {
  const path = join(work, 'tokenizer.json');
  if (!existsSync(path)) {
    const counts = new Map<string, number>();
    for await (const document of readDocuments(corpus)) countWords(document, counts);
    const vocabulary = trainBpe(counts, size, [documentEnd]);
    await writeWhole(path, JSON.stringify(tokenizerJson(vocabulary)));
  }
  return folderVocabulary(work);
}

/** Token ids of a corpus, each document followed by id 0. @param cache - a file that keeps them */
export async function encodeCorpus(
  corpus: string,
  encoder: BpeEncoder,
  cache?: string,
): Promise<Uint16Array> {
  if (cache && existsSync(cache)) {
    const bytes = await readFile(cache);
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  }
  const parts: Uint16Array[] = [];
  for await (const document of readDocuments(corpus))
    parts.push(Uint16Array.from([...encoder.encode(document), 0]));
  const tokens = new Uint16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    tokens.set(part, offset);
    offset += part.length;
  }
  if (cache) await writeWhole(cache, new Uint8Array(tokens.buffer));
  return tokens;
}

/** The vocabulary in a folder's `tokenizer.json`, which is one of ours. */
export async function folderVocabulary(folder: string): Promise<BpeVocabulary> {
  return vocabularyOf(JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')) as object);
}
