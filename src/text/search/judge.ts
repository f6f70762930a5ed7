/** @file What ranking begins with: something that is known of children before they are scored. */
import type { Scores } from '../readouts/scores.js';
import type { KnownRow } from '../sampling/known.js';
import type { Opinion } from './rough-errors.js';
import type { Parent } from './scoring.js';

/** Children of which something is known. */
export interface Judged {
  /** One a child. */
  readonly opinions: readonly Opinion[];
  /** The exact scores of some of them. */
  finish(rows: readonly number[]): Promise<Scores>;
  release(): void;
}

/** Knows something of children for less than scores cost. */
export interface Judge {
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  /** Parents and what is known are as in `Screening`. */
  judge(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    known?: readonly KnownRow[],
  ): Promise<Judged>;
}
