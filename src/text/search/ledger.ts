/** @file What a search may spend, and what it has spent. */

/** What may be spent: one of the two is infinite. */
export interface Allowance {
  /** Sequences that may be scored. */
  readonly evaluations: number;
  readonly seconds: number;
  /** Seconds that had passed before, in a search that is resumed. */
  readonly secondsBefore?: number;
}

export class Ledger {
  private readonly begun: number;
  private counted = { evaluations: 0, tokenLayers: 0, lost: 0 };

  constructor(readonly allowed: Allowance) {
    this.begun = performance.now() - (allowed.secondsBefore ?? 0) * 1000;
  }

  /** Sequences scored, a gradient counted as two. */
  get evaluations(): number {
    return this.counted.evaluations;
  }

  /** Token positions times layers that were computed, backward passes counted as one more forward. */
  get tokenLayers(): number {
    return this.counted.tokenLayers;
  }

  /** Sequences that were proposed and not scored: those that decoding and encoding would change, or seen before. */
  get lost(): number {
    return this.counted.lost;
  }

  /** Seconds since the search began. */
  get seconds(): number {
    return (performance.now() - this.begun) / 1000;
  }

  /** Share of the budget that is spent. */
  get spent(): number {
    const { evaluations, seconds } = this.allowed;
    return Math.max(this.evaluations / evaluations, this.seconds / seconds);
  }

  /** What is spent of the budget, in its own measure. */
  get used(): number {
    return this.isTimed ? this.seconds : this.evaluations;
  }

  /** The whole budget, in its own measure. */
  get whole(): number {
    return this.isTimed ? this.allowed.seconds : this.allowed.evaluations;
  }

  /** Whether time is the budget, and not evaluations. */
  get isTimed(): boolean {
    return this.allowed.evaluations === Number.POSITIVE_INFINITY;
  }

  /** Evaluations that may still be spent. */
  get left(): number {
    return this.allowed.evaluations - this.evaluations;
  }

  spend({ evaluations = 0, tokenLayers = 0 }: { evaluations?: number; tokenLayers?: number }): void {
    this.counted.evaluations += evaluations;
    this.counted.tokenLayers += tokenLayers;
  }

  lose(sequences: number): void {
    this.counted.lost += sequences;
  }

  /** Replaces what was counted by what an earlier part of the search had spent. */
  resumeAt(evaluations: number, tokenLayers = 0, lost = 0): void {
    this.counted = { evaluations, tokenLayers, lost };
  }

  /** Does work that an earlier part has paid for. */
  async unpaid<T>(work: () => Promise<T>): Promise<T> {
    const before = { ...this.counted };
    const result = await work();
    this.counted = before;
    return result;
  }
}
