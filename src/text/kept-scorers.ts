/** @file What texts are scored with, kept between scores: its graphs serve every text of the same length. */
import { statSync } from 'node:fs';
import { ownerOf, type WeightSource } from '../engine/weights/weights.js';
import type { TextSubject } from './lm/subject.js';
import type { ScoreRequest, TextScorer } from './scorer.js';

/** Requests that are kept, the latest. */
const MOST = 4;

export class KeptScorers {
  /** The latest used last. */
  private readonly kept = new Map<string, TextScorer>();
  private owner: WeightSource | null = null;

  /** The scorer of a request, for one caller at a time: it is put back, or disposed of. */
  take(key: string): TextScorer | undefined {
    const scorer = this.kept.get(key);
    this.kept.delete(key);
    return scorer;
  }

  async put(key: string, scorer: TextScorer): Promise<void> {
    const surplus = this.take(key);
    this.kept.set(key, scorer);
    const [oldest] = this.kept.size > MOST ? this.kept.keys() : [];
    for (const one of [surplus, oldest === undefined ? undefined : this.take(oldest)]) await one?.dispose();
  }

  /** Names a request of a model. All must be of the same weights. */
  keyOf(subject: TextSubject, request: ScoreRequest): string {
    this.owner ??= ownerOf(subject.weights);
    if (ownerOf(subject.weights) !== this.owner) throw new Error('scorers are kept for other weights');
    const {
      units,
      raw = false,
      ablate = false,
      measure,
      at,
      reference,
      seed,
      calibrationText,
      calibrationTokens,
    } = request;
    const file = calibrationText !== undefined && statSync(calibrationText);
    return JSON.stringify([
      [units, raw, ablate, measure, at, reference, seed],
      [calibrationText, file && [file.size, file.mtimeMs], calibrationTokens],
      [subject.engine, subject.start, subject.spec],
    ]);
  }

  async dispose(): Promise<void> {
    for (const scorer of this.kept.values()) await scorer.dispose();
    this.kept.clear();
  }
}
