/** @file Batches of a token array: windows of fixed length in a shuffled order, the same for the same seed. */
import { Random } from '../src/core/random.js';

/** One batch: what the model reads and what it should say next. */
export interface Batch {
  /** BOS (id 0) and all tokens of each window but the last, int32 `[batch * length]`. */
  readonly ids: Int32Array;
  /** The windows' tokens, int32 `[batch * length]`. */
  readonly targets: Int32Array;
}

/** Windows of `tokens`, which do not overlap. Window n of the order is a pure function of the seed and n. */
export class Windows {
  /** The order of this epoch; each epoch cuts at another offset, so that windows differ. */
  private order: { epoch: number; offset: number; windows: Uint32Array } | undefined;

  /** @param seed - null for the order of the text */
  constructor(
    private readonly tokens: Uint16Array,
    private readonly length: number,
    private readonly seed: number | null,
  ) {}

  /** Windows an epoch. */
  get count(): number {
    const whole = Math.floor(this.tokens.length / this.length);
    return this.seed === null ? whole : whole - 1;
  }

  batch(first: number, size: number): Batch {
    const ids = new Int32Array(size * this.length);
    const targets = new Int32Array(size * this.length);
    for (let row = 0; row < size; row++) {
      const start = this.start(first + row);
      const window = this.tokens.subarray(start, start + this.length);
      targets.set(window, row * this.length);
      ids.set(window.subarray(0, -1), row * this.length + 1);
    }
    return { ids, targets };
  }

  private start(n: number): number {
    if (this.seed === null) return n * this.length;
    const epoch = Math.floor(n / this.count);
    if (this.order?.epoch !== epoch) {
      const random = Random.of(this.seed, `windows of epoch ${epoch}`);
      const offset = random.integer(this.length);
      this.order = {
        epoch,
        offset,
        windows: random.shuffle(Uint32Array.from({ length: this.count }, (_, i) => i)),
      };
    }
    return this.order.offset + this.order.windows[n % this.count]! * this.length;
  }
}
