/** @file The one seeded generator: every random number that enters a search, a render or a training run. */

/** What a seed can be. */
export const seedBounds = { min: 0, max: 2 ** 32 - 1 } as const;

/**
 * sfc32 (Chris Doty-Humphrey's Small Fast Counter generator, PractRand): 128 bits of state, period above 2^64.
 * The same seed gives the same numbers on every machine.
 */
export class Random {
  private readonly state: Uint32Array;

  constructor(seed: number | Uint32Array) {
    if (seed instanceof Uint32Array) {
      this.state = seed.slice();
      return;
    }
    this.state = Uint32Array.of(0, seed, Math.floor(seed / 2 ** 32), 1);
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** A generator whose numbers do not depend on how many were drawn from others: `name` says what it is for. */
  static of(seed: number, name: string): Random {
    let hash = 2166136261;
    for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0)!, 16777619);
    const state = new Random(seed).state;
    state[0]! ^= hash >>> 0;
    const random = new Random(state);
    for (let i = 0; i < 16; i++) random.uint32();
    return random;
  }

  /** Everything needed to continue from here: `new Random(snapshot)`. */
  snapshot(): Uint32Array {
    return this.state.slice();
  }

  uint32(): number {
    const s = this.state;
    const result = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3] = s[3]! + 1;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + result;
    return result;
  }

  /** Uniform in [0, 1), 24 bits: what a float32 holds exactly, so that it never rounds up to 1. */
  uniform(): number {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  /** Uniform integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * bound);
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  uniforms(size: number): Float32Array {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = this.uniform();
    return values;
  }

  normals(size: number): Float32Array {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = this.normal();
    return values;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)]!;
  }

  /** An index drawn with probability proportional to its weight. */
  weighted(weights: ArrayLike<number>): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    let point = this.uniform() * total;
    for (let i = 0; i < weights.length; i++) {
      point -= weights[i]!;
      if (point < 0) return i;
    }
    return weights.length - 1;
  }

  /** In place (Fisher-Yates). */
  shuffle<T extends { length: number; [index: number]: unknown }>(list: T): T {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = list[i];
      list[i] = list[j];
      list[j] = kept;
    }
    return list;
  }
}
