/**
 * @file How children are scored: plainly, or by devices that do less work. What a device leaves out could not have
 * mattered; what it gives is computed in float32, as if it were not there.
 */
import type { Probe, Scores } from '../probe.js';
import { stackRows } from '../rows.js';

/** Scores children, given the parent that each was made from (`[positions]` each). */
export interface Scoring {
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores>;
}

/** What is known of a child: as good as it may be, where it is not known exactly. */
export interface Prospect {
  /** At least, nats a token. */
  readonly cross_entropy: number;
  /** At most. */
  readonly mostCrossEntropy: number;
  readonly z: number;
  readonly margin: number | null;
  /** The token at its peak. */
  readonly trigger: number;
}

/** Whether something could enter the frontier, or what else a search breeds from. */
export type CouldMatter = (prospect: Prospect) => boolean;

/** Scores of the children that were `kept`, in their order. */
export interface Screened {
  readonly kept: readonly number[];
  readonly scores: Scores;
}

/** Scores the children that could matter. */
export interface Screen {
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  score(
    children: readonly Int32Array[],
    parents: readonly Int32Array[],
    couldMatter: CouldMatter,
  ): Promise<Screened>;
}

/** Every child from its first token on. */
export class WholeScoring implements Scoring {
  tokenLayers = 0;

  constructor(
    private readonly probe: Probe,
    private readonly batch: number,
  ) {}

  score(children: readonly Int32Array[]): Promise<Scores> {
    const positions = children[0]?.length ?? 0;
    this.tokenLayers += children.length * positions * this.probe.options.spec.layers;
    return this.probe.score(stackRows(children), positions, this.batch);
  }
}

/** What is known of child `row` from its scores. */
export function prospectOf(scores: Scores, row: number, child: Int32Array): Prospect {
  return {
    cross_entropy: scores.crossEntropy[row]!,
    mostCrossEntropy: scores.crossEntropy[row]!,
    z: scores.z[row]!,
    margin: scores.rivals?.margin[row] ?? null,
    trigger: child[scores.peak[row]!]!,
  };
}

/** Keeps all children. */
export class KeepAll implements Screen {
  constructor(private readonly scoring: Scoring) {}

  get tokenLayers(): number {
    return this.scoring.tokenLayers;
  }

  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Screened> {
    return { kept: [...children.keys()], scores: await this.scoring.score(children, parents) };
  }
}
