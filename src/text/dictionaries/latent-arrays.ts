/** @file The arrays that latents are computed with, by names that no other source has; each read when it is asked for. */
import { UserError } from '../../core/errors.js';
import { once } from '../../core/once.js';
import { firstNonFinite } from '../../engine/weights/finite.js';
import type { NamedArrays } from '../../engine/weights/named-arrays.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { Dictionary, LatentMatrix } from './dictionary.js';

/** What is read of each latent: a row of the encoder, and numbers. */
type LatentPart = 'rows' | 'bias' | 'threshold' | 'gain' | 'magnitude' | 'decoder';

/** What is read of all together, `[width]`. */
type SharedPart = 'subtract' | 'added';

/** Some latents of a dictionary, or all. Rows and biases are multiplied by the latents' scales. */
export class LatentArrays implements WeightSource {
  private readonly arrays: ReadonlyMap<string, { shape: readonly number[]; read: () => Float32Array }>;

  /**
   * @param prefix - in front of the names
   * @param indices - null for all
   */
  constructor(
    dictionary: Dictionary,
    private readonly prefix: string,
    indices: readonly number[] | null,
  ) {
    const { size, width, encoder, bias, activation, scaledBy, decoder, input, arrays } = dictionary;
    const count = indices?.length ?? size;
    const lines = (matrix: LatentMatrix) => linesOf(arrays, matrix, indices);
    const scales = once(() => (scaledBy ? norms(lines(scaledBy), count) : null));
    const numbers = (name: string): Float32Array => {
      const all = arrays.read(name);
      if (all.length === 1) return new Float32Array(count).fill(finite(all, name, arrays)[0]!);
      return finite(indices ? Float32Array.from(indices, (index) => all[index]!) : all, name, arrays);
    };
    const scaled = (data: Float32Array, each: number) => {
      const by = scales();
      return by ? data.map((x, i) => x * by[Math.floor(i / each)]!) : data;
    };
    const found = new Map<string, { shape: readonly number[]; read: () => Float32Array }>();
    const add = (part: LatentPart | SharedPart, shape: readonly number[], read: () => Float32Array) =>
      found.set(this.nameOf(part), { shape, read });
    add('rows', [count, width], () => scaled(lines(encoder), width));
    if (bias !== null) add('bias', [count], () => scaled(numbers(bias), 1));
    if (activation.kind === 'jump') add('threshold', [count], () => thresholds(activation, count, numbers));
    if (activation.kind === 'gated') {
      add('gain', [count], () => numbers(activation.gain).map(Math.exp));
      add('magnitude', [count], () => numbers(activation.magnitude));
    }
    const whole = (name: string) => finite(arrays.read(name), name, arrays);
    if (input.subtract !== null) add('subtract', [width], () => whole(input.subtract!));
    if (decoder !== null) {
      // Latents are as large as their scales, which their decoder does not know.
      const unscaled = (data: Float32Array) => {
        const by = scales();
        return by ? data.map((x, i) => x / by[Math.floor(i / width)]!) : data;
      };
      add('decoder', [count, width], () => unscaled(lines(decoder.matrix)));
      add('added', [width], () => whole(decoder.bias));
    }
    this.arrays = found;
  }

  get names(): string[] {
    return [...this.arrays.keys()];
  }

  nameOf(part: LatentPart | SharedPart): string {
    return `${this.prefix} ${part}`;
  }

  shape(name: string): readonly number[] {
    return this.arrays.get(name)!.shape;
  }

  read(name: string): Float32Array {
    return this.arrays.get(name)!.read();
  }
}

function linesOf(arrays: NamedArrays, { name, latents }: LatentMatrix, indices: readonly number[] | null) {
  const all = () => Array.from({ length: arrays.shape(name)[latents]! }, (_, i) => i);
  const lines =
    indices === null && latents === 0 ? arrays.read(name) : arrays.lines(name, latents, indices ?? all());
  return finite(lines, name, arrays);
}

/** Throws UserError, by the names that the user knows, where what was read of an array is no number. */
function finite(data: Float32Array, name: string, { path }: NamedArrays): Float32Array {
  if (firstNonFinite(data) === undefined) return data;
  throw new UserError(
    `"${name}" in ${path} holds NaN or infinity: the file is damaged or its training diverged; use another copy or an earlier checkpoint`,
  );
}

/** The norm of each of `count` lines. */
function norms(lines: Float32Array, count: number): Float32Array {
  const width = lines.length / count;
  return Float32Array.from({ length: count }, (_, i) =>
    Math.hypot(...lines.subarray(i * width, (i + 1) * width)),
  );
}

function thresholds(
  { threshold, log }: { threshold: number | string; log?: boolean },
  count: number,
  numbers: (name: string) => Float32Array,
): Float32Array {
  if (typeof threshold === 'number') return new Float32Array(count).fill(threshold);
  return log ? numbers(threshold).map(Math.exp) : numbers(threshold);
}
