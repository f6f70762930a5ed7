/** @file Calibration text, over which z is computed: samples of the model, or a text file of the user. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { readTextFile } from '../../core/text-file.js';
import { batchFor } from '../lm/batch-size.js';
import type { Subject, TextSubject } from '../lm/subject.js';
import { Sampler, samplerVersion } from '../sampling/sampler.js';
import type { CalibrationText } from './calibration.js';
import type { CalibrationStore } from './calibration-store.js';

/** Sequences and their length after BOS: 16,384 positions, which gives a standard deviation to about 1 %. */
const SEQUENCES = 256;
const LENGTH = 64;
/** Characters of a piece of a long text that one sequence is cut from. */
const PIECE = LENGTH * 12;

/** Sequences drawn so far, of how many. */
export interface CalibrationProgress {
  readonly done: number;
  readonly total: number;
}

/** Samples of the model at temperature 1, always the same ones; from the store where they were drawn before. */
export async function* sampledText(
  subject: Subject,
  store: CalibrationStore,
  signal?: AbortSignal,
): AsyncGenerator<CalibrationProgress, CalibrationText, void> {
  const { spec } = subject;
  const positions = Math.min(LENGTH + 1, spec.context);
  const key = `prior ${SEQUENCES} x ${positions}, sampler ${samplerVersion}`;
  const text = (ids: Int32Array): CalibrationText => ({ ids, positions, source: 'prior', key });
  const stored = store.loadIds(key);
  if (stored) return text(stored);

  const batch = batchFor(spec.dModel, positions);
  const sampler = await Sampler.create({ subject, positions, batch });
  const random = Random.of(0, 'calibration');
  const ids = new Int32Array(SEQUENCES * positions);
  for (let done = 0; done < SEQUENCES; done += batch) {
    signal?.throwIfAborted();
    yield { done, total: SEQUENCES };
    ids.set(await sampler.sample(batch, random), done * positions);
  }
  sampler.dispose();
  store.saveIds(key, ids);
  return text(ids);
}

/**
 * A text file cut into sequences, BOS in front of each; evenly spread over a long file, of which memory holds only
 * those pieces.
 *
 * @throws UserError when the file cannot be read, is no text (`readTextFile`) or is too short; the signal's reason
 */
export async function fileText(
  { spec, tokenizer }: TextSubject,
  path: string,
  signal?: AbortSignal,
): Promise<CalibrationText> {
  const { characters, hash } = await survey(path, signal);
  const pieces = await spreadPieces(path, characters, signal);
  const length = Math.min(LENGTH, spec.context - 1);
  const rows: number[][] = [];
  for (const piece of pieces) {
    signal?.throwIfAborted();
    const ids = tokenizer.tokens(piece).filter((id) => id !== tokenizer.bos);
    // One sequence a piece, so that they reach the end of a long text; a short text is a single piece.
    const last = pieces.length > 1 ? 0 : ids.length - length;
    for (let at = 0; at <= last && at + length <= ids.length && rows.length < SEQUENCES; at += length)
      rows.push(tokenizer.behindBos(ids.slice(at, at + length)));
    await nextTurn();
  }
  if (rows.length < 4)
    throw new UserError(
      `the calibration text ${path} is too short: it needs at least ${4 * length} tokens of text`,
    );
  const key = `corpus ${hash} x ${length}`;
  return { ids: Int32Array.from(rows.flat()), positions: length + 1, source: 'corpus', key };
}

/** How long a text is, and its SHA-256. */
async function survey(path: string, signal?: AbortSignal): Promise<{ characters: number; hash: string }> {
  const hash = createHash('sha256');
  let characters = 0;
  for await (const { text } of readTextFile(path)) {
    signal?.throwIfAborted();
    hash.update(text);
    characters += text.length;
  }
  return { characters, hash: hash.digest('hex') };
}

/** Up to 256 pieces of a text, each enough for a sequence of most tokenizers, at even distances. */
async function spreadPieces(path: string, characters: number, signal?: AbortSignal): Promise<string[]> {
  const isShort = characters <= SEQUENCES * PIECE;
  const [count, size] = isShort ? [1, characters] : [SEQUENCES, PIECE];
  const stride = Math.floor(characters / count);
  const pieces = Array<string>(count).fill('');
  let at = 0;
  for await (const { text } of readTextFile(path)) {
    signal?.throwIfAborted();
    const last = Math.min(count - 1, Math.floor((at + text.length) / stride));
    for (let i = Math.max(0, Math.floor((at - size) / stride)); i <= last; i++) {
      const begin = i * stride - at;
      pieces[i] += text.slice(Math.max(0, begin), Math.max(0, begin + size));
    }
    at += text.length;
  }
  return pieces;
}
