/** @file Weights made by a formula instead of shipped: the one `fixtures/README.md` gives. */
import { crc32 } from 'node:zlib';
import type { WeightSource } from '../../src/engine/weights/weights.js';

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 2246822507);
  x = Math.imul(x ^ (x >>> 13), 3266489909);
  return (x ^ (x >>> 16)) >>> 0;
}

/** `length` numbers in [-1, 1) that depend on `name` alone, each times `scale`. */
export function uniform(name: string, length: number, scale = 1): Float32Array {
  const seed = crc32(name);
  const u = new Float32Array(length);
  for (let i = 0; i < length; i++)
    u[i] = ((mix(Math.imul(i + 1, 2654435761) + seed) / 2 ** 32) * 2 - 1) * scale;
  return u;
}

/** Parameters of a PyTorch state dict by the formula. */
export class FormulaWeights implements WeightSource {
  private readonly shapes: ReadonlyMap<string, readonly number[]>;

  constructor(stateDict: readonly (readonly [name: string, shape: readonly number[]])[]) {
    this.shapes = new Map(stateDict);
  }

  get names(): string[] {
    return [...this.shapes.keys()];
  }

  shape(name: string): readonly number[] {
    return this.shapes.get(name)!;
  }

  read(name: string): Float32Array {
    const [outputs, ...fanIn] = this.shape(name);
    const size = fanIn.reduce((a, b) => a * b, 1);
    const inNorm = this.shapes.has(name.replace(/[^.]+$/, 'running_var'));
    const u = (scale: number): Float32Array => uniform(name, outputs! * size, scale);
    if (name.endsWith('running_var')) return u(0.5).map((x) => 1 + Math.abs(x));
    if (name.endsWith('running_mean')) return u(0.1);
    if (name.endsWith('bias')) return u(inNorm ? 0.1 : 0.05);
    return inNorm ? u(0.1).map((x) => 1 + x) : u(Math.sqrt(6 / size));
  }
}
