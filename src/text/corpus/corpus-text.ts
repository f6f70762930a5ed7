/** @file A user's own text files as token sequences, read as a stream: memory does not grow with the corpus. */
import { closeSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { openRegular } from '../../core/regular-file.js';
import { readTextFile } from '../../core/text-file.js';
import type { Tokenizer } from '../lm/tokenizer.js';

/** How a corpus is cut: into windows of so many tokens, or into sentences of at most so many. */
export interface Cut {
  readonly unit: 'window' | 'sentence';
  readonly length: number;
}

/** Sequences from one stretch of a file, and how far the reading is. */
export interface CorpusPart {
  /** BOS in front; all of them survive decoding and encoding. */
  readonly sequences: readonly Int32Array[];
  /** Bytes of files read so far. */
  readonly bytes: number;
  /** Where the next stretch is. */
  readonly next: CorpusPlace;
}

/** A stretch of a corpus: both counted from 0, the file among the corpus, the stretch within its file. */
export interface CorpusPlace {
  readonly file: number;
  readonly stretch: number;
}

export interface CorpusFile {
  readonly path: string;
  readonly bytes: number;
}

/** Tokens of the shortest sentence that counts. */
const SHORTEST_SENTENCE = 3;

/**
 * Text files by name, or all of a folder and its subfolders, `.txt` and `.txt.gz` in any case. Links are followed, each
 * folder once.
 *
 * @throws UserError for a path that is not there, is no regular file or may not be read, or when there is no text file
 *   at all
 */
export function corpusFiles(paths: readonly string[]): CorpusFile[] {
  const folders = new Set<string>();
  const files = paths.flatMap((path) => (isFolder(path) ? filesIn(path, folders) : [corpusFile(path)]));
  if (files.length === 0)
    throw new UserError(
      `there is no .txt or .txt.gz file in ${paths.join(', ')}; give text files or folders of them`,
    );
  return files;
}

/** @param seen - real paths of folders that were looked into: links may lead in circles */
function filesIn(folder: string, seen: Set<string>): CorpusFile[] {
  let names: string[];
  try {
    const real = realpathSync(folder);
    if (seen.has(real)) return [];
    seen.add(real);
    names = readdirSync(folder).sort();
  } catch (error) {
    throw fileError(error, `read the folder ${folder}`);
  }
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (isFolder(path)) return filesIn(path, seen);
    return /\.txt(\.gz)?$/i.test(name) ? [corpusFile(path)] : [];
  });
}

/** False also for links to nothing. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function corpusFile(path: string): CorpusFile {
  const { file, size } = openRegular(path);
  closeSync(file);
  return { path, bytes: size };
}

/**
 * Cuts files into sequences, one stretch of text after the other.
 *
 * @param from - where to begin; what lies before in its file is read, but not cut
 * @throws UserError when a file cannot be read or is no text (`readTextFile`)
 */
export async function* corpusSequences(
  files: readonly CorpusFile[],
  tokenizer: Tokenizer,
  cut: Cut,
  from: CorpusPlace = { file: 0, stretch: 0 },
): AsyncGenerator<CorpusPart, void, void> {
  const cutStretch = cut.unit === 'window' ? windows : sentences;
  let before = 0;
  for (const [file, { path, bytes: size }] of files.entries()) {
    let stretch = 0;
    if (file >= from.file)
      for await (const { text, bytes } of readTextFile(path)) {
        const isNew = file > from.file || stretch >= from.stretch;
        stretch++;
        if (!isNew) continue;
        const sequences = cutStretch(text, tokenizer, cut.length)
          .map((ids) => Int32Array.from(tokenizer.behindStart(ids)))
          .filter((ids) => tokenizer.roundTrips(ids));
        yield { sequences, bytes: before + bytes, next: { file, stretch } };
      }
    before += size;
  }
}

/** Stretches of exactly `length` tokens, one after the other, each from the start of a word. */
function windows(text: string, tokenizer: Tokenizer, length: number): number[][] {
  const ids = tokenizer.tokens(text);
  const found: number[][] = [];
  for (let at = 0; at + length <= ids.length; ) {
    if (at > 0 && !/^\s/.test(tokenizer.tokenString(ids[at]!))) at++;
    else {
      found.push(ids.slice(at, at + length));
      at += length;
    }
  }
  return found;
}

/** Sentences, their line breaks turned into spaces. Longer ones than `longest` tokens are left out. */
function sentences(text: string, tokenizer: Tokenizer, longest: number): number[][] {
  return text
    .split(/\n\s*\n/)
    .flatMap((paragraph) =>
      paragraph
        .replace(/\s+/g, ' ')
        .trim()
        .split(/(?<=[.!?]["'”’)\]]*) (?=["'“‘([]*\p{Lu})/u),
    )
    .map((sentence) => tokenizer.tokens(sentence))
    .filter(({ length }) => length >= SHORTEST_SENTENCE && length <= longest);
}
