/** @file `superstim corpus` as a library function: the natural text that excites a unit most. */
import { UsageError, UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { Frontier, hypervolume } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { eventClock, type Run, stamped } from '../../runs/events.js';
import { batchFor } from '../lm/batch-size.js';
import { openSubject } from '../lm/subject.js';
import type { Tokenizer } from '../lm/tokenizer.js';
import { Probe } from '../readouts/probe.js';
import type { Scores } from '../readouts/scores.js';
import { calibrate, type Resolved, resolveUnits, type SessionOptions } from '../readouts/session.js';
import { type CorpusFile, type Cut, corpusSequences } from './corpus-text.js';

export interface CorpusScanOptions extends SessionOptions {
  readonly unit: string;
  readonly files: readonly CorpusFile[];
  readonly cut: Cut;
  /** How many of the strongest texts are kept beside the frontier. */
  readonly top: number;
}

/** A natural text with its peak. */
export interface CorpusText extends ScoredText {
  /** As each token continues the text, BOS left out. */
  tokens: string[];
  /** Sigmas a token. */
  z_by_token: number[];
  /** Which token z is largest at. */
  peak: number;
}

export interface CorpusResult {
  unit: string;
  method: 'corpus';
  /** `evaluations` are sequences scored. */
  cost: { seconds: number; evaluations: number; token_layers: number };
  corpus: { files: string[]; bytes: number; bytes_read: number; cut: Cut };
  hypervolume: number;
  frontier: ScoredText[];
  /** The strongest, strongest first. */
  top: CorpusText[];
}

/**
 * Scores a corpus from its beginning to its end, or until the signal: what was found until then is the result.
 *
 * @yields progress in bytes, and a candidate whenever a text enters the frontier
 * @throws UsageError for a unit, reference class or length that makes no sense, UserError for a file that cannot be
 *   read, or when there is nothing to score in any
 */
export async function* scanCorpus(options: CorpusScanOptions): Run<CorpusResult> {
  const { files, cut, signal, at } = options;
  const subject = openSubject(options.model, options.engine);
  const { spec, tokenizer } = subject;
  const event = eventClock();
  const { objective, reference } = checkScan(options);
  yield event({ kind: 'started', task: 'corpus', unit: objective.name, method: 'corpus' });
  const calibration = yield* stamped(calibrate(options), event);
  const probe = await Probe.create({ subject, objective, reference, calibration, at });
  yield* calibration.takeWarnings().map(event);

  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const batch = batchFor(spec.dModel, cut.length + 1);
  const found = new Found(options.top);
  const waiting = new Waiting();
  let [bytesRead, evaluations, positions] = [0, 0, 0];
  async function* score(atLeast: number): Run {
    for (const rows of waiting.take(atLeast, batch)) {
      const length = rows[0]!.length;
      const scores = await probe.score(Int32Array.from(rows.flatMap((row) => [...row])), length, batch);
      evaluations += rows.length;
      positions += rows.length * length;
      for (const [i, ids] of rows.entries()) {
        const text = scoredText(tokenizer, ids, scores, i);
        if (found.add(text))
          yield event({ kind: 'candidate', source: 'search', candidate: text, operator: 'corpus' });
      }
    }
  }
  try {
    for await (const { sequences, bytes } of corpusSequences(files, tokenizer, cut)) {
      for (const ids of sequences) waiting.add(ids);
      yield* score(batch);
      bytesRead = bytes;
      const elapsed = seconds();
      yield event({
        kind: 'progress',
        source: 'search',
        budget: 'bytes',
        done: bytes,
        total,
        rate: bytes / elapsed,
        rate_unit: 'bytes',
        seconds_left: bytes > 0 ? (elapsed * (total - bytes)) / bytes : null,
      });
      if (signal?.aborted) break;
    }
    if (!signal?.aborted) {
      yield* score(1);
      if (evaluations === 0) throw emptyCorpus(options);
    }
    const cost = { seconds: seconds(), evaluations, token_layers: positions * spec.layers };
    const frontier = found.frontier.members;
    const top: CorpusText[] = [];
    for (const text of found.strongest) {
      const { z } = await probe.details(Int32Array.from(tokenizer.behindBos(text.token_ids)));
      const byToken = Array.from(z.subarray(1));
      const peak = byToken.indexOf(Math.max(...byToken));
      const tokens = text.token_ids.map((id) => tokenizer.tokenString(id));
      top.push({ ...text, tokens, z_by_token: byToken, peak });
    }
    const paths = files.map(({ path }) => path);
    const result: CorpusResult = {
      unit: objective.name,
      method: 'corpus',
      cost,
      corpus: { files: paths, bytes: total, bytes_read: bytesRead, cut },
      hypervolume: hypervolume(frontier),
      frontier,
      top,
    };
    const reason = signal?.aborted ? 'interrupted' : 'done';
    yield event({ kind: 'finished', reason, result: JSON.parse(JSON.stringify(result)) });
    return result;
  } finally {
    await probe.dispose();
  }
}

/**
 * Finds out what is wrong with a request before anything is computed or written.
 *
 * @throws UsageError for a unit, reference class or length that makes no sense
 */
export function checkScan(options: CorpusScanOptions): Resolved {
  const { cut, model } = options;
  if (cut.length + 1 > model.spec.context)
    throw new UsageError(
      `${field('length')} ${cut.length} does not fit the model's context of ${model.spec.context} tokens, one of which is BOS`,
    );
  return resolveUnits(options.unit, options);
}

function emptyCorpus({ files, cut }: CorpusScanOptions): UserError {
  const what =
    cut.unit === 'window' ? `window of ${cut.length} tokens` : `sentence of at most ${cut.length} tokens`;
  const [first] = files;
  const where = files.length === 1 ? first!.path : `${files.length} files (${first!.path}, …)`;
  return new UserError(
    `there is no ${what} in ${where} that its tokenizer gives back unchanged; give more text, or another --length`,
  );
}

/** Sequences by length, since only equal lengths are scored together. */
class Waiting {
  private readonly byLength = new Map<number, Int32Array[]>();

  add(ids: Int32Array): void {
    const same = this.byLength.get(ids.length) ?? [];
    same.push(ids);
    this.byLength.set(ids.length, same);
  }

  /** Batches of equal length, those lengths that have `atLeast` sequences. */
  *take(atLeast: number, batch: number): Generator<Int32Array[], void, void> {
    for (const same of this.byLength.values()) while (same.length >= atLeast) yield same.splice(0, batch);
  }
}

/** The frontier and the strongest texts, each text once. */
class Found {
  readonly frontier = new Frontier();
  strongest: ScoredText[] = [];

  constructor(private readonly top: number) {}

  /** Whether the text entered the frontier. */
  add(text: ScoredText): boolean {
    const weakest = this.strongest.length < this.top ? Number.NEGATIVE_INFINITY : this.strongest.at(-1)!.z;
    if (text.z > weakest && this.strongest.every((other) => other.text !== text.text)) {
      this.strongest.push(text);
      this.strongest.sort((a, b) => b.z - a.z);
      this.strongest.length = Math.min(this.top, this.strongest.length);
    }
    return this.frontier.add(text);
  }
}

function scoredText(tokenizer: Tokenizer, ids: Int32Array, scores: Scores, row: number): ScoredText {
  return {
    text: tokenizer.decode(ids),
    token_ids: Array.from(ids.subarray(1)),
    cross_entropy: scores.crossEntropy[row]!,
    raw: scores.raw[row]!,
    z: scores.z[row]!,
    margin: scores.rivals?.margin[row] ?? null,
    rank: scores.rivals?.rank[row] ?? null,
  };
}
