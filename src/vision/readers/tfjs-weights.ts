/** @file The weights of a TensorFlow.js model: a manifest in `model.json`, the bytes in shard files, perhaps quantized. */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { inside } from '../../core/inside.js';
import { own } from '../../core/own.js';
import { clipped } from '../../core/visible.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { fileSize, readRange } from '../../engine/weights/byte-ranges.js';
import { float32FromF16 } from '../../engine/weights/half.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { limits } from '../limits.js';
import { nameSchema, shapeSchema } from './json-file.js';

const quantizationSchema = z.object({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});
type Quantization = z.infer<typeof quantizationSchema>;

const weightSchema = z.object({
  name: nameSchema,
  shape: shapeSchema,
  dtype: z.string().max(limits.name),
  quantization: quantizationSchema.optional(),
});

/** `weightsManifest` of a `model.json`. */
export const manifestSchema = z.array(
  z.object({
    paths: z.array(z.string().max(limits.name)).max(limits.shards),
    weights: z.array(weightSchema).max(limits.nodes),
  }),
);
export type ManifestGroup = z.infer<typeof manifestSchema>[number];

/** How bytes become numbers, by the type they are stored in. */
const decoders: Record<string, { bytes: number; decode(bytes: ArrayBuffer): ArrayLike<number> }> = {
  float32: { bytes: 4, decode: (bytes) => new Float32Array(bytes) },
  int32: { bytes: 4, decode: (bytes) => new Int32Array(bytes) },
  bool: { bytes: 1, decode: (bytes) => new Uint8Array(bytes) },
  uint8: { bytes: 1, decode: (bytes) => new Uint8Array(bytes) },
  uint16: { bytes: 2, decode: (bytes) => new Uint16Array(bytes) },
  float16: { bytes: 2, decode: (bytes) => float32FromF16(new Uint16Array(bytes)) },
};

interface Shard {
  readonly path: string;
  readonly bytes: number;
}

interface ManifestEntry {
  readonly shape: readonly number[];
  readonly stored: string;
  readonly quantization: Quantization | undefined;
  readonly shards: readonly Shard[];
  /** In the shards laid end to end. */
  readonly start: number;
  readonly bytes: number;
}

/** Opens the shards beside `model.json`; values are read when asked for. */
export class TfjsWeights implements WeightSource {
  private readonly entries = new Map<string, ManifestEntry>();

  /** Throws UserError when a shard is missing or has the wrong size. */
  constructor(modelPath: string, manifest: readonly ManifestGroup[]) {
    for (const { paths, weights } of manifest) {
      const shards = paths.map((name) => {
        const path = inside(dirname(modelPath), name, basename(modelPath));
        if (!existsSync(path)) {
          throw new UserError(
            `the weights file ${name} is missing beside ${modelPath}: fetch the whole model`,
          );
        }
        return { path, bytes: fileSize(path) };
      });
      let start = 0;
      for (const { name, shape, dtype, quantization } of weights) {
        const stored = quantization?.dtype ?? dtype;
        const decoder = own(decoders, stored);
        if (this.entries.has(name))
          throw new UserError(`${modelPath} lists the weight "${name}" twice: the file is damaged`);
        if (!decoder)
          throw new UserError(`the weight "${name}" of ${modelPath} has the unknown type ${clipped(stored)}`);
        const bytes = sizeOf(shape) * decoder.bytes;
        this.entries.set(name, { shape, stored, quantization, shards, start, bytes });
        start += bytes;
      }
      const present = shards.reduce((sum, shard) => sum + shard.bytes, 0);
      if (present !== start) {
        throw new UserError(
          `${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ',…' : ''} ${paths.length === 1 ? 'holds' : 'hold'} ${present} bytes where ${modelPath} says ` +
            `${start}: the download is incomplete or damaged, fetch the model again`,
        );
      }
    }
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** Whether the numbers are sizes and axes rather than parameters. */
  isInteger(name: string): boolean {
    return this.entry(name).stored === 'int32';
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  read(name: string): Float32Array {
    const { stored, quantization, shards, start, bytes } = this.entry(name);
    const whole = new Uint8Array(bytes);
    let shardStart = 0;
    for (const { path, bytes: shardBytes } of shards) {
      const from = Math.max(start, shardStart);
      const to = Math.min(start + bytes, shardStart + shardBytes);
      if (from < to) whole.set(new Uint8Array(readRange(path, from - shardStart, to - from)), from - start);
      shardStart += shardBytes;
    }
    const values = decoders[stored]!.decode(whole.buffer);
    if (quantization?.scale === undefined) {
      return values instanceof Float32Array ? values : Float32Array.from(values);
    }
    const { scale, min = 0 } = quantization;
    return Float32Array.from(values, (q) => q * scale + min);
  }

  private entry(name: string): ManifestEntry {
    const entry = this.entries.get(name);
    if (!entry) throw new UserError(`the model has no weight named "${name}"`);
    return entry;
  }
}
