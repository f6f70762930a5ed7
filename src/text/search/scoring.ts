/**
 * @file How children are scored: plainly, or by shortcuts that do less work. What a shortcut leaves out is most unlikely
 * to have mattered; what it gives is computed in float32, as if it were not there.
 */
import type { Point } from '../../core/frontier.js';
import { stackRows } from '../lm/rows.js';
import type { Probe } from '../readouts/probe.js';
import { concatScores, type Scores } from '../readouts/scores.js';
import type { KnownRow } from '../sampling/known.js';
import type { SavedErrors } from './error-moments.js';

/** Scores children, given the parent that each was made from (`[positions]` each). */
export interface Scorer {
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores>;
}

/** What a child was made from, with its exact figures. */
export interface Parent extends Pick<Point, 'cross_entropy' | 'z'> {
  /** `[positions]` */
  readonly ids: Int32Array;
  readonly peak: number;
}

/** What is known of a child: as good as it may be and as bad, the same where it is known exactly. */
export interface Prospect {
  readonly best: Point;
  readonly worst: Point;
  /** The token at its peak. */
  readonly peakToken: number;
}

/** Which of some children could enter the frontier, or what else a search breeds from, given all of them. */
export type Choose = (prospects: readonly Prospect[]) => boolean[];

/** Scores of the children that were `kept`, in their order. */
export interface Screened {
  readonly kept: readonly number[];
  readonly scores: Scores;
}

/** Scores the children that could matter. */
export interface Screening {
  /** What was learned of how far rough scores are off, where there are any. */
  readonly errors?: { save(): SavedErrors; restore(saved: SavedErrors): void };
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  /**
   * @param parents - one a child; null for what was drawn whole
   * @param known - what a sampler has found out about the children
   */
  score(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    choose: Choose,
    known?: readonly KnownRow[],
  ): Promise<Screened>;
}

/** For each child a text with a beginning in common: its parent, or where there is none the first child. */
export const likeChildren = (
  children: readonly Int32Array[],
  parents: readonly (Parent | null)[],
): Int32Array[] => parents.map((parent) => parent?.ids ?? children[0]!);

/** Every child from its first token on. */
export class WholeScorer implements Scorer {
  tokenLayers = 0;

  /** @param batches - children of a call, the most first; the last call is filled up where it is smaller than all */
  constructor(
    private readonly probe: Probe,
    private readonly positions: number,
    private readonly batches: readonly number[],
  ) {}

  async score(children: readonly Int32Array[]): Promise<Scores> {
    const parts: Scores[] = [];
    for (let start = 0; start < children.length; ) {
      const batch = this.batches.find((size) => size <= children.length - start) ?? this.batches.at(-1)!;
      const part = children.slice(start, start + batch);
      parts.push(await this.probe.score(stackRows(part), this.positions, batch));
      start += batch;
    }
    this.tokenLayers += children.length * this.positions * this.probe.options.subject.spec.layers;
    return concatScores(parts);
  }
}

/** Keeps all children. */
export class KeepAll implements Screening {
  constructor(private readonly scoring: Scorer) {}

  get tokenLayers(): number {
    return this.scoring.tokenLayers;
  }

  async score(children: readonly Int32Array[], parents: readonly (Parent | null)[]): Promise<Screened> {
    const scores = await this.scoring.score(children, likeChildren(children, parents));
    return { kept: [...children.keys()], scores };
  }
}
