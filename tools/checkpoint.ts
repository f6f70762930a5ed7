/** @file Checkpoints of the training tools: where a run stands beside its arrays. */
import * as engine from '../src/engine/training/checkpoint.js';
import type { TrainingState } from '../src/engine/training/trainer.js';

export interface Position {
  /** Steps taken. */
  readonly steps: number;
  /** Windows of the training corpus read. */
  readonly windows: number;
  /** Seconds of training, pauses left out: what the schedule runs on. */
  readonly seconds: number;
  readonly seed: number;
}

export function writeCheckpoint(path: string, state: TrainingState, position: Position): void {
  engine.writeCheckpoint(path, { state, position });
}

export function readCheckpoint(path: string): engine.Checkpoint<Position> | undefined {
  return engine.readCheckpoint<Position>(path);
}
