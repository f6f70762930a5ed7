/** @file Calibration text, over which z is computed: samples of the model, or a text file of the user. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { readTextFile } from '../../core/text-file.js';
import type { EventBody } from '../../runs/events.js';
import { batchFor } from '../lm/batch-size.js';
import type { Subject, TextSubject } from '../lm/subject.js';
import { Sampler, samplerVersion } from '../sampling/sampler.js';
import { calibrationPhase } from './calibration-progress.js';
import {
  affordSequences,
  drawnLength,
  drawnTogether,
  guessSequences,
  MOST_SEQUENCES,
  SEQUENCE_LENGTH,
} from './calibration-size.js';
import type { CalibrationStore } from './calibration-store.js';
import type { CalibrationText } from './count-groups.js';

/** Characters of a piece of a long text that one sequence is cut from. */
const PIECE = SEQUENCE_LENGTH * 12;

export interface TextOptions {
  /** Positions to count, about; null = as many as half a minute allows, 16,384 at most. */
  readonly tokens: number | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Samples of the model at temperature 1, always the same ones; from the store where they were drawn before.
 *
 * With a large model the first samples are timed, and their number is chosen by that time. It is stored: later calls use it.
 */
export async function* sampledText(
  subject: Subject,
  store: CalibrationStore,
  { tokens, signal }: TextOptions,
): AsyncGenerator<EventBody, CalibrationText, void> {
  const { spec } = subject;
  const length = drawnLength(spec);
  const positions = Math.min(length + 1, spec.context);
  const guess = guessSequences(spec, length);
  const choice = `prior chosen x ${positions}, sampler ${samplerVersion}`;
  const asked = tokens === null ? null : Math.ceil(tokens / (positions - 1));
  let count = asked ?? (guess === MOST_SEQUENCES ? guess : store.loadIds(choice)?.[0]);
  const text = (key: string, ids: Int32Array): CalibrationText => ({ ids, positions, source: 'prior', key });
  const stored = count === undefined ? undefined : store.loadIds(drawnKey(count, positions));
  if (stored) return text(drawnKey(count!, positions), stored);

  const report = calibrationPhase('drawing samples of the model');
  yield report(0, count ?? guess);
  const most = Math.min(batchFor(spec.dModel, positions), drawnTogether(spec));
  const batch = Math.min(most, guess, count ?? guess);
  const sampler = await Sampler.create({ subject, positions, batch, signal });
  try {
    const random = Random.of(0, 'calibration');
    const parts: Int32Array[] = [];
    const start = performance.now();
    for (let done = 0; done < (count ?? batch); done += batch) {
      parts.push(await sampler.sample(Math.min(batch, (count ?? batch) - done), random));
      count ??= Math.max(batch, affordSequences((performance.now() - start) / 1000 / batch, length));
      yield report(Math.min(count, done + batch), count);
    }
    const ids = joined(parts);
    if (asked === null && guess !== MOST_SEQUENCES) store.saveIds(choice, Int32Array.of(count!));
    const key = drawnKey(count!, positions);
    store.saveIds(key, ids);
    return text(key, ids);
  } finally {
    sampler.dispose();
  }
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const drawnKey = (count: number, positions: number) =>
  `prior ${count} x ${positions}, sampler ${samplerVersion}`;

/**
 * A text file cut into sequences, BOS in front of each; evenly spread over a long file, of which memory holds only
 * those pieces.
 *
 * @throws UserError when the file cannot be read, is no text (`readTextFile`) or is too short; the signal's reason
 */
export async function fileText(
  { spec, tokenizer }: TextSubject,
  path: string,
  { tokens, signal }: TextOptions,
): Promise<CalibrationText> {
  const length = Math.min(SEQUENCE_LENGTH, spec.context - 1);
  const most = tokens === null ? guessSequences(spec) : Math.ceil(tokens / length);
  const { characters, hash } = await survey(path, signal);
  const pieces = await spreadPieces(path, characters, most, signal);
  const rows: number[][] = [];
  for (const piece of pieces) {
    signal?.throwIfAborted();
    const ids = tokenizer.tokens(piece).filter((id) => id !== tokenizer.bos);
    // One sequence a piece, so that they reach the end of a long text; a short text is a single piece.
    const last = pieces.length > 1 ? 0 : ids.length - length;
    for (let at = 0; at <= last && at + length <= ids.length && rows.length < most; at += length)
      rows.push(tokenizer.behindStart(ids.slice(at, at + length)));
    await nextTurn();
  }
  if (rows.length < 4)
    throw new UserError(
      `the calibration text ${path} is too short: it needs at least ${4 * length} tokens of text`,
    );
  const key = `corpus ${hash} x ${length}${most === MOST_SEQUENCES ? '' : `, at most ${most}`}`;
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

/** Up to so many pieces of a text, each enough for a sequence of most tokenizers, at even distances. */
async function spreadPieces(
  path: string,
  characters: number,
  most: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const isShort = characters <= most * PIECE;
  const [count, size] = isShort ? [1, characters] : [most, PIECE];
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
