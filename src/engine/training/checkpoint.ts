/** @file Checkpoints of training: one safetensors file, replaced by rename. */
import { existsSync } from 'node:fs';
import { openSafetensors, writeSafetensors } from '../weights/safetensors.js';
import type { TrainingState } from './trainer.js';

/** A moment of a training run: its arrays, and where it stands beside them (steps taken, data read …). */
export interface Checkpoint<Position> {
  readonly state: TrainingState;
  readonly position: Position;
}

/** @param position - anything that JSON holds */
export function writeCheckpoint<Position>(path: string, { state, position }: Checkpoint<Position>): void {
  writeSafetensors(path, state, { metadata: { position: JSON.stringify(position) } });
}

/** Undefined when there is none yet. Throws UserError when the file is damaged. */
export function readCheckpoint<Position>(path: string): Checkpoint<Position> | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSafetensors(path);
  const state: TrainingState = new Map(
    file.names.map((name) => [name, { shape: file.shape(name), data: file.read(name) }]),
  );
  return { state, position: JSON.parse(file.metadata.position!) as Position };
}
