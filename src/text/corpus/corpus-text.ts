/** @file A user's own text files as token sequences, read as a stream: memory does not grow with the corpus. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
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
}

export interface CorpusFile {
  readonly path: string;
  readonly bytes: number;
}

/** Characters of a stretch: enough that little is lost at its ends, few enough for the slowest tokenizers. */
const STRETCH = 4096;
/** Tokens of the shortest sentence that counts. */
const SHORTEST_SENTENCE = 3;

/**
 * Text files by name, or all of a folder and its subfolders, `.txt` and `.txt.gz`.
 *
 * @throws UserError for a path that is not there, or when there is no text file at all
 */
export function corpusFiles(paths: readonly string[]): CorpusFile[] {
  const files = paths.flatMap((path) => filesAt(path, true));
  if (files.length === 0)
    throw new UserError(
      `there is no .txt or .txt.gz file in ${paths.join(', ')}; give text files or folders of them`,
    );
  return files;
}

function filesAt(path: string, named: boolean): CorpusFile[] {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(path);
  } catch (error) {
    throw fileError(error, `read the corpus ${path}`);
  }
  if (found?.isDirectory())
    return readdirSync(path)
      .sort()
      .flatMap((name) => filesAt(join(path, name), false));
  return named || /\.txt(\.gz)?$/.test(path) ? [{ path, bytes: found?.size ?? 0 }] : [];
}

/**
 * Cuts files into sequences, one stretch of text after the other.
 *
 * @throws UserError when a file cannot be read
 */
export async function* corpusSequences(
  files: readonly CorpusFile[],
  tokenizer: Tokenizer,
  cut: Cut,
): AsyncGenerator<CorpusPart, void, void> {
  const cutStretch = cut.unit === 'window' ? windows : sentences;
  let before = 0;
  for (const file of files) {
    for await (const { text, bytes } of stretches(file.path)) {
      const sequences = cutStretch(text, tokenizer, cut.length)
        .map((ids) => Int32Array.from(tokenizer.behindBos(ids)))
        .filter((ids) => tokenizer.roundTrips(ids));
      yield { sequences, bytes: before + bytes };
    }
    before += file.bytes;
  }
}

/** Text in stretches that end between words, and the bytes of the file read so far. */
async function* stretches(path: string): AsyncGenerator<{ text: string; bytes: number }, void, void> {
  const file = createReadStream(path);
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => stream.destroy(error));
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of stream) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      while (rest.length > STRETCH) {
        const end = lastBreak(rest.slice(0, STRETCH));
        yield { text: rest.slice(0, end), bytes: file.bytesRead };
        rest = rest.slice(end);
      }
    }
  } catch (error) {
    throw fileError(error, `read the corpus ${path}`);
  } finally {
    file.destroy();
  }
  yield { text: rest + decoder.decode(), bytes: file.bytesRead };
}

/** Where a text is best cut: after its last paragraph, else line, else word. */
function lastBreak(text: string): number {
  for (const mark of ['\n\n', '\n', ' ']) {
    const at = text.lastIndexOf(mark);
    if (at > text.length / 2) return at + mark.length;
  }
  return text.length;
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
