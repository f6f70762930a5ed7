/** @file The text that z is counted over: samples of the prior, or the user's own corpus. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { Random } from '../../core/random.js';
import { batchFor } from '../lm/batch-size.js';
import type { Subject, TextSubject } from '../lm/subject.js';
import { Sampler, samplerVersion } from '../sampling/sampler.js';
import type { CalibrationText } from './calibration.js';
import type { CalibrationStore } from './calibration-store.js';

/** Sequences and their length after BOS: 16,384 positions, which gives a standard deviation to about 1 %. */
const SEQUENCES = 256;
const LENGTH = 64;

/** Sequences drawn so far, of how many. */
export interface CalibrationProgress {
  readonly done: number;
  readonly total: number;
}

/** Samples of the model at temperature 1, always the same ones; from the store where they were drawn before. */
export async function* priorText(
  subject: Subject,
  store: CalibrationStore,
  signal?: AbortSignal,
): AsyncGenerator<CalibrationProgress, CalibrationText, void> {
  const { spec } = subject;
  const positions = Math.min(LENGTH + 1, spec.context);
  const key = `prior ${SEQUENCES} x ${positions}, sampler ${samplerVersion}`;
  const text = (ids: Int32Array): CalibrationText => ({ ids, positions, source: 'prior', key });
  const stored = store.loadIds(key);
  const inVocabulary = (id: number) => id >= 0 && id < spec.vocab;
  if (stored?.length === SEQUENCES * positions && stored.every(inVocabulary)) return text(stored);

  const batch = batchFor(spec.dModel, positions);
  const prior = await Sampler.create({ subject, positions, batch });
  const random = Random.of(0, 'calibration');
  const ids = new Int32Array(SEQUENCES * positions);
  for (let done = 0; done < SEQUENCES; done += batch) {
    signal?.throwIfAborted();
    yield { done, total: SEQUENCES };
    ids.set(await prior.sample(batch, random), done * positions);
  }
  prior.dispose();
  store.saveIds(key, ids);
  return text(ids);
}

/**
 * A text file cut into sequences, BOS in front of each; evenly spread over a long file.
 *
 * @throws UserError when the file cannot be read or is too short
 */
export function corpusText({ spec, tokenizer }: TextSubject, path: string): CalibrationText {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, `read the corpus ${path}`);
  }
  const pieces = spreadPieces(text, SEQUENCES);
  const length = Math.min(LENGTH, spec.context - 1);
  const rows: number[][] = [];
  for (const piece of pieces) {
    const ids = tokenizer.tokens(piece).filter((id) => id !== tokenizer.bos);
    // One sequence a piece, so that they reach the end of a long text; a short text is a single piece.
    const last = pieces.length > 1 ? 0 : ids.length - length;
    for (let at = 0; at <= last && at + length <= ids.length && rows.length < SEQUENCES; at += length)
      rows.push(tokenizer.behindBos(ids.slice(at, at + length)));
  }
  if (rows.length < 4)
    throw new UserError(
      `the corpus ${path} is too short: calibration needs at least ${4 * length} tokens of text`,
    );
  const key = `corpus ${createHash('sha256').update(text).digest('hex')} x ${length}`;
  return { ids: Int32Array.from(rows.flat()), positions: length + 1, source: 'corpus', key };
}

/** Up to `count` pieces of a text, each enough for a sequence of most tokenizers, at even distances. */
function spreadPieces(text: string, count: number): string[] {
  const size = LENGTH * 12;
  if (text.length <= count * size) return [text];
  const stride = Math.floor(text.length / count);
  return Array.from({ length: count }, (_, i) => text.slice(i * stride, i * stride + size));
}
