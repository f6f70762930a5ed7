/** @file When checkpoints are written: every few seconds, and more seldom where one takes long to write. */

/** Largest share of the time that checkpoints may take. */
const MOST_SHARE = 0.02;

/** Where checkpoints go. */
export interface Saving<Checkpoint> {
  /** 0: after every turn, however long it takes. */
  readonly everySeconds: number;
  save(checkpoint: Checkpoint): void;
}

export class Checkpoints<Checkpoint> {
  private written = performance.now();
  private pause: number;

  /** @param make - null where there can be none at the moment */
  constructor(
    private readonly saving: Saving<Checkpoint> | undefined,
    private readonly make: () => Checkpoint | null,
  ) {
    this.pause = 1000 * (saving?.everySeconds ?? Number.POSITIVE_INFINITY);
  }

  /** Writes one where it is time. */
  writeIfDue(): void {
    if (performance.now() - this.written >= this.pause) this.write();
  }

  write(): void {
    if (!this.saving) return;
    const begun = performance.now();
    const checkpoint = this.make();
    if (checkpoint === null) return;
    this.saving.save(checkpoint);
    this.written = performance.now();
    const { everySeconds } = this.saving;
    this.pause = everySeconds && Math.max(1000 * everySeconds, (this.written - begun) / MOST_SHARE);
  }
}
