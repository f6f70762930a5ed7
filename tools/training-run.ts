/** @file What training runs share: a work folder with checkpoint and log, resuming from it, a progress bar, being stopped. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Trainer, TrainingState } from '../src/engine/training/trainer.js';
import { type Position, readCheckpoint, writeCheckpoint } from './checkpoint.js';

/** A step that took longer was paused: seconds beyond this do not count as training. */
const LONGEST_STEP = 20;

export class TrainingRun {
  position: Position;
  /** Where an earlier part of the run left the trainer. */
  readonly resumed: { readonly state: TrainingState; readonly steps: number } | undefined;
  private readonly mayTake: number;
  private interrupted = false;

  /**
   * @param work - the folder; resumes from the checkpoint in it
   * @param stopAfter - steps that this part of the run may take
   * @throws Error when the checkpoint was made with another seed
   */
  constructor(
    private readonly work: string,
    seed: number,
    stopAfter = Number.POSITIVE_INFINITY,
  ) {
    const checkpoint = readCheckpoint(this.checkpointPath);
    this.position = checkpoint?.position ?? { steps: 0, windows: 0, seconds: 0, seed };
    if (this.position.seed !== seed)
      throw new Error(`the checkpoint in ${work} was made with seed ${this.position.seed}`);
    this.resumed = checkpoint && { state: checkpoint.state, steps: this.position.steps };
    this.mayTake = this.position.steps + stopAfter;
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        this.interrupted = true;
      });
  }

  /** Whether nobody has stopped it. */
  get goesOn(): boolean {
    return this.position.steps < this.mayTake && !this.interrupted;
  }

  private get checkpointPath(): string {
    return join(this.work, 'checkpoint.safetensors');
  }

  /** Counts a step of so many windows (or pictures) that began at a time; gives its seconds. */
  advance(trainer: Trainer, windows: number, start: number): number {
    const seconds = Math.min(LONGEST_STEP, (performance.now() - start) / 1000);
    const { position } = this;
    this.position = {
      ...position,
      steps: trainer.steps,
      windows: position.windows + windows,
      seconds: position.seconds + seconds,
    };
    return seconds;
  }

  log(entry: Readonly<Record<string, number>>): void {
    appendFileSync(join(this.work, 'log.jsonl'), `${JSON.stringify({ ...this.position, ...entry })}\n`);
  }

  save(state: TrainingState): void {
    writeCheckpoint(this.checkpointPath, state, this.position);
  }
}

/** A running mean; 0 before the first. */
export const smooth = (old: number, fresh: number) => (old === 0 ? fresh : 0.95 * old + 0.05 * fresh);

/** @param done - from 0 to 1 */
export function showProgress(done: number, ...figures: readonly string[]): void {
  const bar = '█'.repeat(Math.floor(done * 20)).padEnd(20, '░');
  process.stderr.write(`\r${[bar, `${(100 * done).toFixed(1)} %`, ...figures].join('  ')} `);
}
