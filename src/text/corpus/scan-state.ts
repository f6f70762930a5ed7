/** @file Where a scan stands: what it has read, what waits to be scored, what it found. As data it is a checkpoint. */
import { z } from 'zod';
import { Frontier } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { CorpusFile, CorpusPlace } from './corpus-text.js';

const count = z.int().min(0);
const ids = z.array(count).min(1);
const scoredText = z.strictObject({
  text: z.string(),
  token_ids: ids,
  cross_entropy: z.number(),
  raw: z.number(),
  z: z.number(),
  margin: z.number().nullable(),
  rank: z.number().nullable(),
});

/** `checkpoint.json` of a scan's run folder. */
export const scanCheckpoint = z.strictObject({
  version: z.literal(1),
  /** The corpus, in the order in which it is read. */
  files: z.array(z.strictObject({ path: z.string(), bytes: count })),
  /** Where reading resumes. */
  place: z.strictObject({ file: count, stretch: count }),
  bytes_read: count,
  /** Sequences not yet scored, BOS in front, by length. */
  waiting: z.array(z.tuple([count, z.array(ids)])),
  frontier: z.array(scoredText),
  /** Strongest first. */
  strongest: z.array(scoredText),
  /** Sequences and their tokens that were scored. */
  evaluations: count,
  positions: count,
  seconds: z.number().min(0),
});
export type ScanCheckpoint = z.output<typeof scanCheckpoint>;

export class ScanState {
  readonly waiting = new Waiting();
  readonly found: Found;
  place: CorpusPlace = { file: 0, stretch: 0 };
  bytesRead = 0;
  evaluations = 0;
  positions = 0;
  private readonly start: number;

  /** @param top - how many of the strongest texts are kept */
  constructor(
    private readonly files: readonly CorpusFile[],
    top: number,
    from?: ScanCheckpoint,
  ) {
    this.found = new Found(top, from?.strongest);
    this.start = performance.now() - 1000 * (from?.seconds ?? 0);
    if (!from) return;
    this.place = from.place;
    this.bytesRead = from.bytes_read;
    this.evaluations = from.evaluations;
    this.positions = from.positions;
    for (const text of from.frontier) this.found.frontier.add(text);
    for (const [length, rows] of from.waiting)
      this.waiting.byLength.set(
        length,
        rows.map((row) => Int32Array.from(row)),
      );
  }

  /** Spent on the scan so far, also before a resume. */
  get seconds(): number {
    return (performance.now() - this.start) / 1000;
  }

  checkpoint(): ScanCheckpoint {
    const { files, place, bytesRead, waiting, found, evaluations, positions, seconds } = this;
    return {
      version: 1,
      files: files.map(({ path, bytes }) => ({ path, bytes })),
      place: { ...place },
      bytes_read: bytesRead,
      waiting: [...waiting.byLength].map(([length, rows]) => [length, rows.map((row) => [...row])]),
      frontier: found.frontier.members,
      strongest: [...found.strongest],
      evaluations,
      positions,
      seconds,
    };
  }
}

/** Sequences by length, since only equal lengths are scored together. */
class Waiting {
  readonly byLength = new Map<number, Int32Array[]>();

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
  readonly strongest: ScoredText[];

  constructor(
    private readonly top: number,
    strongest: readonly ScoredText[] = [],
  ) {
    this.strongest = [...strongest];
  }

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
