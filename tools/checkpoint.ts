/** @file Checkpoints of a training run: one safetensors file, replaced by rename. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { openSafetensors, writeSafetensors } from '../src/engine/safetensors.js';
import type { TrainingState } from '../src/engine/trainer.js';

/** Where a run stands, beside its arrays. */
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
  writeSafetensors(path, state, { metadata: { position: JSON.stringify(position) } });
}

export function readCheckpoint(path: string): { state: TrainingState; position: Position } | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSafetensors(path);
  const state: TrainingState = new Map(
    file.names.map((name) => [name, { shape: file.shape(name), data: file.read(name) }]),
  );
  return { state, position: JSON.parse(readMetadata(path).position!) as Position };
}

function readMetadata(path: string): Record<string, string> {
  const file = openSync(path, 'r');
  try {
    const length = Buffer.alloc(8);
    readSync(file, length, 0, 8, 0);
    const header = Buffer.alloc(Number(length.readBigUInt64LE()));
    readSync(file, header, 0, header.length, 8);
    return (JSON.parse(header.toString()) as { __metadata__: Record<string, string> }).__metadata__;
  } finally {
    closeSync(file);
  }
}
