/** @file What the engine and its worker thread say to each other. */
import type { WeightType } from '../compiler/half-weights.js';
import type { Program } from '../compiler/program.js';
import type { Device } from '../engine-names.js';
import type { ArrayValue } from './backend.js';

/** A fed input: the array itself, or the number of one that stays in the worker. */
export type FedInput = ArrayValue | { readonly held: number };

export type WorkerRequest =
  /** One weight of a set of weights. */
  | {
      readonly kind: 'weight';
      readonly device: Device;
      readonly set: number;
      readonly name: string;
      /** What comes, and as what it is kept: what is in half precision may be widened there. */
      readonly type: WeightType;
      readonly kept: WeightType;
      readonly data: Float32Array | Uint16Array;
    }
  /** A whole set of weights is no longer needed, but for programs that are loaded. */
  | { readonly kind: 'forget'; readonly set: number }
  | {
      readonly kind: 'load';
      readonly device: Device;
      readonly program: number;
      readonly set: number;
      readonly content: Program;
      readonly threads: number;
      readonly arena: boolean;
      readonly spins: boolean;
    }
  | { readonly kind: 'unload'; readonly program: number }
  | {
      readonly kind: 'run';
      readonly program: number;
      readonly inputs: Readonly<Record<string, FedInput>>;
      /** Outputs that stay in the worker under these numbers. */
      readonly keep: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'read'; readonly held: number }
  | { readonly kind: 'write'; readonly device: Device; readonly held: number; readonly value: ArrayValue }
  | { readonly kind: 'release'; readonly held: number };

export type Reply =
  | { readonly id: number; readonly outputs: Readonly<Record<string, ArrayValue>> }
  /** `isUsers`: the error is a sentence for the user. */
  | { readonly id: number; readonly error: string; readonly isUsers: boolean };
