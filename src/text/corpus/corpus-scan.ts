/** @file `superstim corpus` as a library function: the natural text that excites a unit most. */
import { UsageError, UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { FrameReport } from '../../core/frame-report.js';
import { hypervolume } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { untilStopped } from '../../core/until-stopped.js';
import { Checkpoints, type Saving } from '../../runs/checkpoints.js';
import {
  type EventBody,
  eventClock,
  finishedEvent,
  type Run,
  type RunEvent,
  stamped,
} from '../../runs/events.js';
import { batchFor } from '../lm/batch-size.js';
import { frameOf } from '../lm/frame.js';
import { stackRows } from '../lm/rows.js';
import { contextPhrase } from '../lm/spec.js';
import { openSubject, type TextSubject } from '../lm/subject.js';
import type { Tokenizer } from '../lm/tokenizer.js';
import { detailsReader } from '../readouts/details.js';
import { Probe } from '../readouts/probe.js';
import type { Scores } from '../readouts/scores.js';
import { calibrate, groupsOf, type Resolved, resolveUnits, type Session } from '../readouts/session.js';
import { type CorpusFile, type Cut, corpusSequences } from './corpus-text.js';
import { type ScanCheckpoint, ScanState } from './scan-state.js';

export interface CorpusScanOptions extends Session {
  readonly unit: string;
  readonly files: readonly CorpusFile[];
  readonly cut: Cut;
  /** How many of the strongest texts are kept beside the frontier. */
  readonly top: number;
  /** What an earlier part of the same scan left: its last checkpoint, if it wrote one, and where its clock stands. */
  readonly earlier?: { readonly checkpoint?: ScanCheckpoint | undefined; readonly clock: number };
  /** Gets a checkpoint now and then, and when the scan is stopped. */
  readonly saving?: Saving<ScanCheckpoint>;
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
  frame: FrameReport;
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
  const { files, cut, signal, at, earlier, saving } = options;
  const subject = openSubject(options.model, options.engine);
  const { spec, tokenizer } = subject;
  const event = eventClock(earlier?.clock);
  const plan = checkScan(options);
  const { objective, reference } = plan;
  yield event({ kind: 'started', task: 'corpus', unit: objective.name, method: 'corpus' });
  const calibration = yield* calibrate({ ...options, groups: groupsOf(plan) }, event);
  const probe = await Probe.create({ subject, objective, reference, calibration, at });
  yield* calibration.takeWarnings().map(event);

  const state = new ScanState(files, options.top, earlier?.checkpoint);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const score = (atLeast: number) => stamped(scoreWaiting(state, subject, probe, cut, atLeast), event);
  const checkpoints = new Checkpoints(saving, () => state.checkpoint());
  const scan = async function* (): AsyncGenerator<RunEvent, void, void> {
    for await (const { sequences, bytes, next } of corpusSequences(files, tokenizer, cut, state.place)) {
      for (const ids of sequences) state.waiting.add(ids);
      yield* score(batchOf(subject, cut));
      state.bytesRead = bytes;
      state.place = next;
      yield event(progressOf(state, total));
      checkpoints.writeIfDue();
      if (!signal?.aborted) continue;
      checkpoints.write();
      return;
    }
    yield* score(1);
    if (state.evaluations === 0) throw emptyCorpus(options);
  };
  try {
    yield* untilStopped(scan(), signal);
    const { seconds, evaluations, positions, bytesRead: bytes_read, found } = state;
    const frontier = found.frontier.members;
    const result: CorpusResult = {
      unit: objective.name,
      method: 'corpus',
      frame: frameOf(options.model),
      cost: { seconds, evaluations, token_layers: positions * spec.layers },
      corpus: { files: files.map(({ path }) => path), bytes: total, bytes_read, cut },
      hypervolume: hypervolume(frontier),
      frontier,
      top: await withPeaks(found.strongest, subject, probe),
    };
    yield event(finishedEvent(result, signal));
    return result;
  } finally {
    await probe.dispose();
  }
}

/** Sequences scored together. */
const batchOf = ({ spec }: TextSubject, cut: Cut): number => batchFor(spec.dModel, cut.length + 1);

/** Scores what waits, those lengths of which there are `atLeast`. */
async function* scoreWaiting(
  state: ScanState,
  subject: TextSubject,
  probe: Probe,
  cut: Cut,
  atLeast: number,
): AsyncGenerator<EventBody, void, void> {
  const batch = batchOf(subject, cut);
  for (const rows of state.waiting.take(atLeast, batch)) {
    const length = rows[0]!.length;
    const scores = await probe.score(stackRows(rows), length, batch);
    state.evaluations += rows.length;
    state.positions += rows.length * length;
    for (const [i, ids] of rows.entries()) {
      const candidate = scoredText(subject.tokenizer, ids, scores, i);
      if (state.found.add(candidate))
        yield { kind: 'candidate', source: 'search', candidate, operator: 'corpus' };
    }
  }
}

function progressOf({ seconds, bytesRead: done }: ScanState, total: number): EventBody {
  return {
    kind: 'progress',
    source: 'search',
    budget: 'bytes',
    done,
    total,
    rate: done / seconds,
    rate_unit: 'bytes',
    seconds_left: done > 0 ? (seconds * (total - done)) / done : null,
  };
}

async function withPeaks(
  texts: readonly ScoredText[],
  subject: TextSubject,
  probe: Probe,
): Promise<CorpusText[]> {
  const { tokenizer } = subject;
  const all: CorpusText[] = [];
  const reader = detailsReader(subject, [probe]);
  try {
    for (const text of texts) {
      const { units } = await reader.read(Int32Array.from(tokenizer.behindStart(text.token_ids)));
      const byToken = Array.from(units[0]!.z.subarray(1));
      const peak = byToken.indexOf(Math.max(...byToken));
      const tokens = text.token_ids.map((id) => tokenizer.tokenString(id));
      all.push({ ...text, tokens, z_by_token: byToken, peak });
    }
    return all;
  } finally {
    await reader.dispose();
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
      `${field('length')} ${cut.length} does not fit the model's ${contextPhrase(model.spec)}`,
    );
  return resolveUnits(options.unit, options);
}

function emptyCorpus({ files, cut }: CorpusScanOptions): UserError {
  const what =
    cut.unit === 'window' ? `window of ${cut.length} tokens` : `sentence of at most ${cut.length} tokens`;
  const [first] = files;
  const where = files.length === 1 ? first!.path : `${files.length} files (${first!.path}, …)`;
  return new UserError(
    `there is no ${what} in ${where} that its tokenizer gives back unchanged; give more text, or another ${field('length')}`,
  );
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
