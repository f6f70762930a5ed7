/**
 * @file Ranking in 8 bits: rough scores of all children first, float32 for those that could matter by them. How far
 * rough scores are off is learned from the children that have both.
 */
import type { Scores } from '../probe.js';
import {
  type CouldMatter,
  type Prospect,
  prospectOf,
  type Scoring,
  type Screen,
  type Screened,
} from './scoring.js';

/** Errors that a rough score may be off by, in root mean squares of those seen. */
const TOLERANCE = 3;
/** What an error keeps of its past with every call. */
const MEMORY = 0.8;

/** Mean squares of errors. */
interface Errors {
  crossEntropy: number;
  z: number;
  margin: number;
}

export class RankFirst implements Screen {
  private errors: Errors | null = null;

  constructor(
    private readonly rough: Scoring,
    private readonly exact: Scoring,
  ) {}

  get tokenLayers(): number {
    return this.rough.tokenLayers + this.exact.tokenLayers;
  }

  async score(
    children: readonly Int32Array[],
    parents: readonly Int32Array[],
    couldMatter: CouldMatter,
  ): Promise<Screened> {
    const rough = await this.rough.score(children, parents);
    const kept = [...children.keys()].filter(
      (row) =>
        this.errors === null || couldMatter(atBest(prospectOf(rough, row, children[row]!), this.errors)),
    );
    const scores = await this.exact.score(
      kept.map((row) => children[row]!),
      kept.map((row) => parents[row]!),
    );
    if (kept.length > 0) this.learn(rough, scores, kept);
    return { kept, scores };
  }

  private learn(rough: Scores, exact: Scores, kept: readonly number[]): void {
    const error = (of: (scores: Scores) => Float32Array | undefined) => {
      const [roughly, exactly] = [of(rough), of(exact)];
      if (!roughly || !exactly) return 0;
      return kept.reduce((sum, row, i) => sum + (roughly[row]! - exactly[i]!) ** 2, 0) / kept.length;
    };
    const seen: Errors = {
      crossEntropy: error(({ crossEntropy }) => crossEntropy),
      z: error(({ z }) => z),
      margin: error(({ rivals }) => rivals?.margin),
    };
    const before = this.errors ?? seen;
    const mixed = (name: keyof Errors) => MEMORY * before[name] + (1 - MEMORY) * seen[name];
    this.errors = { crossEntropy: mixed('crossEntropy'), z: mixed('z'), margin: mixed('margin') };
  }
}

/** As good as a child may be whose scores are off by as much as they may. */
function atBest({ cross_entropy, z, margin, trigger }: Prospect, errors: Errors): Prospect {
  const slack = (square: number) => TOLERANCE * Math.sqrt(square);
  return {
    cross_entropy: cross_entropy - slack(errors.crossEntropy),
    mostCrossEntropy: cross_entropy + slack(errors.crossEntropy),
    z: z + slack(errors.z),
    margin: margin === null ? null : margin + slack(errors.margin),
    trigger,
  };
}
