/** @file Experts as files store them, one matrix each or packed, as the arrays `[expert, neuron, dModel]` of a network. */
import { sameShape } from '../../../engine/tensor-spec.js';
import type { WeightSource } from '../../../engine/weights/weights.js';
import type { Family } from './family.js';
import { type Presented, withArrays } from './presented.js';

type Projection = 'gate_proj' | 'up_proj' | 'down_proj';

/** Most experts of a layer. */
const MOST = 4096;

/** One matrix an expert, `experts.3.w1.weight`. @param own - what each part is called */
export function separateExperts(own: Readonly<Record<Projection, string>>): NonNullable<Family['present']> {
  const parts = new Map(Object.entries(own).map(([part, name]) => [name, part]));
  return (source) => {
    const stacks = new Map<string, string[]>();
    for (const name of source.names) {
      const [, module, digits, ownPart] = /^(.*\.experts)\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
      const part = parts.get(ownPart ?? '');
      if (part === undefined || Number(digits) >= MOST) continue;
      const stack = stacks.get(`${module}.${part}`) ?? [];
      stacks.set(`${module}.${part}`, stack);
      stack[Number(digits)] = name;
    }
    // Where one is missing or of another shape, the whole array is missing.
    const isMatrix = (name: string | undefined, like: string | undefined) =>
      name !== undefined && like !== undefined && sameShape(source.shape(name), source.shape(like));
    const whole = [...stacks].filter(([, names]) =>
      Array.from(names).every((name) => isMatrix(name, names[0]) && source.shape(name).length === 2),
    );
    return withArrays(source, new Map(whole.map(([name, names]) => [name, stack(source, names, name)])));
  };
}

function stack(source: WeightSource, names: readonly string[], name: string): Presented {
  const down = name.endsWith('.down_proj');
  const [outputs, inputs] = source.shape(names[0]!) as [number, number];
  const shape = [names.length, ...(down ? [inputs, outputs] : [outputs, inputs])];
  return {
    shape,
    read() {
      const size = outputs * inputs;
      const all = new Float32Array(names.length * size);
      for (const [expert, each] of names.entries()) {
        const matrix = source.read(each);
        all.set(down ? transposed(matrix, outputs, inputs) : matrix, expert * size);
      }
      return all;
    },
  };
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = matrix[row * columns + column]!;
  return result;
}

/**
 * GPT-OSS: all experts in one array, the gate's rows and the other side's one after the other; as numbers,
 * `[expert, dModel, 2 * neuron]`, or in MXFP4, `[expert, 2 * neuron, dModel / 32, 16]`.
 */
export const gptOssExperts: NonNullable<Family['present']> = (source) => {
  const further = new Map<string, Presented>();
  for (const name of source.names) {
    const [, module, part] = /^(.*\.experts)\.(gate_up_proj|down_proj)(?:_blocks|_bias)?$/.exec(name) ?? [];
    if (module === undefined) continue;
    if (part === 'gate_up_proj') {
      const ending = name.endsWith('_bias') ? '_bias' : '';
      further.set(`${module}.gate_proj${ending}`, everyOther(source, name, 0));
      further.set(`${module}.up_proj${ending}`, everyOther(source, name, 1));
    } else if (name.endsWith('_blocks')) further.set(`${module}.down_proj`, unpackedDown(source, name));
  }
  return withArrays(source, further);
};

/** One side of the gate: `[expert, neuron, dModel]`, or `[expert, neuron]` of the bias. */
function everyOther(source: WeightSource, name: string, side: 0 | 1): Presented {
  const shape = source.shape(name);
  if (name.endsWith('_blocks')) {
    const [experts, rows, groups] = shape as [number, number, number];
    return {
      shape: [experts, rows / 2, 32 * groups],
      read: () => unpacked(source, name, (row) => row % 2 === side),
    };
  }
  const [experts, ...rest] = shape as [number, ...number[]];
  const neurons = rest.at(-1)! / 2;
  const dModel = rest.length === 1 ? 1 : rest[0]!;
  return {
    shape: rest.length === 1 ? [experts, neurons] : [experts, neurons, dModel],
    read() {
      const values = source.read(name);
      const result = new Float32Array(experts * neurons * dModel);
      for (let expert = 0; expert < experts; expert++)
        for (let i = 0; i < dModel; i++)
          for (let neuron = 0; neuron < neurons; neuron++)
            result[(expert * neurons + neuron) * dModel + i] =
              values[(expert * dModel + i) * 2 * neurons + 2 * neuron + side]!;
      return result;
    },
  };
}

/** `[expert, neuron, dModel]` of `[expert, dModel, neuron / 32, 16]`. */
function unpackedDown(source: WeightSource, name: string): Presented {
  const [experts, dModel, groups] = source.shape(name) as [number, number, number];
  const neurons = 32 * groups;
  const size = dModel * neurons;
  return {
    shape: [experts, neurons, dModel],
    read() {
      const values = unpacked(source, name, () => true);
      for (let expert = 0; expert < experts; expert++) {
        const own = values.subarray(expert * size, (expert + 1) * size);
        own.set(transposed(own, dModel, neurons));
      }
      return values;
    },
  };
}

/** What four bits mean (OCP Microscaling Formats, MXFP4: one sign, two exponent and one mantissa bit). */
const sizes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
const fourBits = [...sizes, ...sizes.map((x) => -x)];

/** The rows of MXFP4 that are wanted, one after the other: 32 numbers share a power of two; low four bits come first. */
function unpacked(source: WeightSource, name: string, wanted: (row: number) => boolean): Float32Array {
  const [experts, rows, groups] = source.shape(name) as [number, number, number];
  const blocks = source.read(name);
  const scales = source.read(name.replace(/_blocks$/, '_scales'));
  const kept = Array.from({ length: experts * rows }, (_, row) => row).filter((row) => wanted(row % rows));
  const result = new Float32Array(kept.length * groups * 32);
  for (const [at, row] of kept.entries())
    for (let group = 0; group < groups; group++) {
      const scale = 2 ** (scales[row * groups + group]! - 127);
      const from = (row * groups + group) * 16;
      const to = (at * groups + group) * 32;
      for (let i = 0; i < 16; i++) {
        const pair = blocks[from + i]!;
        result[to + 2 * i] = fourBits[pair & 15]! * scale;
        result[to + 2 * i + 1] = fourBits[pair >> 4]! * scale;
      }
    }
  return result;
}
