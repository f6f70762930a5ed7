/** @file What a worker is told. */
import type { DeviceChoice } from '../../engine/engine-names.js';
import type { QueueAddress } from './address.js';

export interface WorkerOptions {
  readonly address: QueueAddress;
  /** Gets the run folders. */
  readonly out: string;
  /** The folder whose files jobs may name, which this process works in; null: none. */
  readonly models: string | null;
  /** Computes there instead of where jobs say. */
  readonly device: DeviceChoice | undefined;
  /** Seconds of silence after which others take over the job of a worker. */
  readonly stalledAfter: number;
  /** Stops the worker; its job goes back to the queue with what was found. */
  readonly signal: AbortSignal;
  say(sentence: string): void;
  status(line: string | null): void;
}
