/**
 * @file Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685): a frozen matrix W plus scale * B A, A and B thin.
 *
 * An adapted model is the same transformer with another weight lookup. Names, shapes, first values and the meaning
 * of `targets` are those of Hugging Face PEFT.
 */

import { UserError } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import { Random } from '../core/random.js';
import * as tf from '../engine/functions/tfjs.js';
import { sizeOf } from '../engine/tensor-spec.js';
import type { WeightArray, WeightLookup, WeightSource } from '../engine/weights/weights.js';
import { parameterShapes } from '../text/lm/parameters.js';
import type { TransformerSpec } from '../text/lm/spec.js';

export interface LoraSettings {
  /** Columns of B and rows of A. */
  readonly rank: number;
  /** B A is scaled by alpha / rank. */
  readonly alpha: number;
  /** `all-linear`, `attention`, `mlp`, or ends of module names: `q_proj`, `mlp.c_proj`. */
  readonly targets: readonly string[];
}

/** Adapters of one model, with or without their arrays' values: which matrices, and what their sum is scaled by. */
export interface LoraLayout {
  readonly spec: TransformerSpec;
  readonly rank: number;
  readonly alpha: number;
  /** B A is scaled by this. */
  readonly scale: number;
  /** Full names of the adapted modules. */
  readonly modules: readonly string[];
}

export interface Lora {
  readonly layout: LoraLayout;
  /** `MODULE.lora_A.weight` `[rank, in]` and `MODULE.lora_B.weight` `[out, rank]`. */
  readonly arrays: ReadonlyMap<string, WeightArray>;
}

/** Names of a module's two arrays. */
export const loraNames = (module: string) => ({
  a: `${module}.lora_A.weight`,
  b: `${module}.lora_B.weight`,
});

/**
 * Which matrices get adapters, and of what shape.
 *
 * @throws UserError when a target names no matrix of the model's layers
 */
export function loraLayout(spec: TransformerSpec, { rank, alpha, targets }: LoraSettings): LoraLayout {
  return { spec, rank, alpha, scale: alpha / rank, modules: targetModules(spec, targets) };
}

/** The matrices of the layers, by module: what `all-linear` means. The unembedding is not among them. */
function layerMatrices(spec: TransformerSpec): string[] {
  const { prefix, layers } = spec.modules;
  return [...parameterShapes(spec)]
    .filter(([name, shape]) => name.startsWith(`${prefix}${layers}.`) && shape.length === 2)
    .map(([name]) => name.slice(0, -'.weight'.length));
}

function targetModules(spec: TransformerSpec, targets: readonly string[]): string[] {
  const all = layerMatrices(spec);
  // `model.layers.3.self_attn.q_proj` -> `self_attn.q_proj`
  const { prefix, layers } = spec.modules;
  const short = (module: string) => module.slice(prefix.length + layers.length + 1).replace(/^\d+\./, '');
  const groups = new Map<string, (module: string) => boolean>([
    ['all-linear', () => true],
    ['attention', (module) => !short(module).startsWith('mlp.')],
    ['mlp', (module) => short(module).startsWith('mlp.')],
  ]);
  const chosen = new Set<string>();
  for (const target of targets) {
    const matches = groups.get(target) ?? ((module) => module === target || module.endsWith(`.${target}`));
    const found = all.filter(matches);
    if (found.length === 0) {
      const known = [...groups.keys(), ...new Set(all.map(short))];
      const lastParts = known.map((name) => name.slice(name.lastIndexOf('.') + 1));
      throw new UserError(
        `no matrix of the model is called "${target}": ${known.join(', ')} can be adapted` +
          didYouMean(target, lastParts),
      );
    }
    for (const module of found) chosen.add(module);
  }
  return all.filter((module) => chosen.has(module));
}

/** Inputs and outputs of a module, whichever way its matrix is stored. */
function sides({ spec }: LoraLayout, module: string): { inputs: number; outputs: number } {
  const [first, second] = parameterShapes(spec).get(`${module}.weight`) as [number, number];
  return spec.modules.matrices === 'in,out'
    ? { inputs: first, outputs: second }
    : { inputs: second, outputs: first };
}

/** Shapes of all arrays of an adapter. */
export function loraShapes(layout: LoraLayout): Map<string, readonly number[]> {
  return new Map(
    layout.modules.flatMap((module): [string, readonly number[]][] => {
      const { inputs, outputs } = sides(layout, module);
      const { a, b } = loraNames(module);
      return [
        [a, [layout.rank, inputs]],
        [b, [outputs, layout.rank]],
      ];
    }),
  );
}

/** A uniform within 1 / sqrt(in), B zero: the adapted model begins as the frozen one. */
export function firstLora(layout: LoraLayout, seed: number): Lora {
  const arrays = new Map<string, WeightArray>();
  for (const [name, shape] of loraShapes(layout)) {
    const random = Random.of(seed, name);
    const bound = 1 / Math.sqrt(shape[1]!);
    const isB = name.endsWith('.lora_B.weight');
    const data = isB
      ? new Float32Array(sizeOf(shape))
      : random.uniforms(sizeOf(shape)).map((x) => (2 * x - 1) * bound);
    arrays.set(name, { shape, data });
  }
  return { layout, arrays };
}

/** The adapted model's weights in a graph: W + scale B A where adapted, else W. Each is made once. */
export function loraLookup(layout: LoraLayout, arrays: WeightLookup, frozen: WeightLookup): WeightLookup {
  const adapted = new Map(layout.modules.map((module) => [`${module}.weight`, module]));
  const made = new Map<string, tf.Tensor>();
  return (name) => {
    const module = adapted.get(name);
    if (module === undefined) return frozen(name);
    const found = made.get(name);
    if (found) return found;
    const names = loraNames(module);
    const [a, b] = [arrays(names.a) as tf.Tensor2D, arrays(names.b) as tf.Tensor2D];
    // (B A)^T = A^T B^T, for matrices stored as [in, out].
    const transposed = layout.spec.modules.matrices === 'in,out';
    const change = transposed ? tf.matMul(a, b, true, true) : tf.matMul(b, a);
    const weight = tf.add(frozen(name), tf.mul(change, layout.scale));
    made.set(name, weight);
    return weight;
  };
}

/** The adapted model's weights as a source of their own: merged where adapted, when they are read. */
export function mergedWeights(frozen: WeightSource, { layout, arrays }: Lora): WeightSource {
  const adapted = new Map(layout.modules.map((module) => [`${module}.weight`, module]));
  const transposed = layout.spec.modules.matrices === 'in,out';
  return {
    names: frozen.names,
    shape: (name) => frozen.shape(name),
    read(name) {
      const module = adapted.get(name);
      const weight = frozen.read(name);
      if (module === undefined) return weight;
      const { inputs, outputs } = sides(layout, module);
      const names = loraNames(module);
      const [a, b] = [arrays.get(names.a)!.data, arrays.get(names.b)!.data];
      const rank = a.length / inputs;
      for (let out = 0; out < outputs; out++)
        for (let r = 0; r < rank; r++) {
          const factor = layout.scale * b[out * rank + r]!;
          if (factor === 0) continue;
          for (let into = 0; into < inputs; into++)
            weight[transposed ? into * outputs + out : out * inputs + into]! +=
              factor * a[r * inputs + into]!;
        }
      return weight;
    },
  };
}
