/** @file Compiled execution: the function is traced once, written as a program, and run by a backend. */
import type { Backend, HeldArray } from '../backends/backend.js';
import { inBlocks } from '../compiler/blocks.js';
import type { Traced } from '../compiler/graph.js';
import { halveProducts } from '../compiler/half-products.js';
import { isHalf, weightType } from '../compiler/half-weights.js';
import { narrow } from '../compiler/narrow.js';
import { opTable } from '../compiler/op-table.js';
import { buildProgram, weightsOf, widensHalves } from '../compiler/program.js';
import { quantizeProducts } from '../compiler/quantize.js';
import { reachable } from '../compiler/reachable.js';
import { gainsInBytes, quantizePictures } from '../compiler/rough/quantize-pictures.js';
import { splitProducts } from '../compiler/split-products.js';
import { type TensorFunction, trace } from '../compiler/trace.js';
import { workingMemory } from '../compiler/working-memory.js';
import { hasDotProducts } from '../dot-products.js';
import type { TensorSpec } from '../tensor-spec.js';
import type { Traits } from '../traits.js';
import type { Compiled, CompileOptions, Resident, RunInput } from '../types.js';
import { collectGarbage } from './collect-garbage.js';
import { traitsOfDevice } from './computes-halves.js';
import type { Executor } from './executor.js';
import { checkedInput, isResident, specOf } from './inputs.js';

/** Executes on a backend. */
export function compiledOn(backend: Backend): Executor {
  return {
    traits: backend.traits,
    traitsHere: () => traitsOfDevice(backend),
    compile: (fn, options) => compileOn(backend, fn, options),
    resident: async (data, { shape, dtype }) =>
      resident(backend, await backend.write({ data, shape, dtype })),
    releaseWeights: (source) => backend.disposeWeights(source),
  };
}

/**
 * Multiplications of the largest product from which on waking a second thread pays: of a model of 64 dimensions calls
 * take 0.7 of the time on one thread, of one of 192 longer (docs/decisions/07-threads.md).
 */
const WORTH_THREADS = 2 ** 25;

/** One thread for small graphs, else as many as there are cores. */
function threadsFor({ outputs }: Traced): number {
  const isWorth = reachable(Object.values(outputs)).nodes.some((node) => {
    const { allThreads, multiplications } = opTable[node.op];
    return allThreads || (multiplications?.(node) ?? 0) >= WORTH_THREADS;
  });
  return isWorth ? 0 : 1;
}

/**
 * Bytes that a graph works in up to which it keeps them from one run to the next (an arena): searches take up to a fifth less
 * time, but the memory stays taken (docs/decisions/08-working-memory.md).
 */
const LITTLE_MEMORY = 48 * 2 ** 20;

/** The graph of a function with only what is used, and the one that is run, in 8 bits or half precision where that is asked and pays. */
export function graphsOf(
  fn: TensorFunction,
  { inputs, weights, precision, evenRows, packed }: CompileOptions,
  traits: Traits,
): { traced: Traced; computed: Traced } {
  const narrowed = narrow(trace(fn, inputs, weights, traits));
  const isWidened = (name: string) => weights !== undefined && isHalf(weightType(weights, name, traits));
  const rough = precision === 'rough' ? traits.rough : null;
  const traced = weights?.halves?.stay && rough === null ? splitProducts(narrowed, isWidened) : narrowed;
  if (rough === 'float16') return { traced, computed: halveProducts(traced) };
  const products = rough ? quantizeProducts(traced, evenRows) : traced;
  const computed = rough && packed ? quantizePictures(products) : products;
  return { traced, computed: packed && traits.packsConstants ? inBlocks(computed) : computed };
}

/** What is loaded of a function. The graph that it is made from is garbage afterwards. */
function preparedFor(traits: Traits, fn: TensorFunction, options: CompileOptions) {
  const { traced, computed } = graphsOf(fn, options, traits);
  const { weights, packed, keepsMemory } = options;
  const content = buildProgram(computed, {
    packs: packed && traits.packsConstants,
    views: traits.viewsWeights,
    ...(weights && { weightType: (name) => weightType(weights, name, traits) }),
  });
  const arena = keepsMemory || (!widensHalves(content) && workingMemory(computed) <= LITTLE_MEMORY);
  const isFast = traits.rough === 'int8' ? hasDotProducts() : traits.rough !== null;
  const gains = isFast && gainsInBytes(traced);
  const spins = keepsMemory ?? false;
  return { content, gains, threads: options.threads ?? threadsFor(traced), arena, spins };
}

async function compileOn(backend: Backend, fn: TensorFunction, options: CompileOptions): Promise<Compiled> {
  const { content, gains, ...settings } = preparedFor(await traitsOfDevice(backend), fn, options);
  const { weights } = options;
  if (weights?.halves?.stay) collectGarbage();
  if (weights) await backend.upload(weights, weightsOf(content));
  const program = await backend.load(content, { weights, ...settings });
  const specs = Object.entries(options.inputs);
  const feeds = (inputs: Readonly<Record<string, RunInput>>) =>
    Object.fromEntries(specs.map(([name, spec]) => [name, feed(name, spec, inputs[name])]));
  return {
    outputs: Object.fromEntries(
      content.outputs.map(({ name, shape, dtype }) => [name, specOf(dtype, shape)]),
    ),
    gainsRoughly: gains,
    run: async (inputs) => (await backend.run(program, feeds(inputs), [])).values,
    async runKeeping<K extends string>(inputs: Readonly<Record<string, RunInput>>, keep: readonly K[]) {
      const { values, kept } = await backend.run(program, feeds(inputs), keep);
      const residents = Object.entries<HeldArray>(kept).map(([name, array]) => [
        name,
        resident(backend, array),
      ]);
      return { values, kept: Object.fromEntries(residents) as Record<K, Resident> };
    },
    dispose: () => backend.disposeProgram(program),
  };
}

// -- arrays that stay with the backend -------------------------------------------------------------------------

interface BackendResident extends Resident {
  readonly array: HeldArray;
}

function resident(backend: Backend, array: HeldArray): BackendResident {
  return {
    array,
    shape: array.shape,
    dtype: array.dtype,
    read: () => backend.read(array),
    release: () => backend.disposeArray(array),
  };
}

function feed(name: string, spec: TensorSpec, input: RunInput | undefined) {
  const checked = checkedInput(name, spec, input);
  if (isResident(checked)) return (checked as BackendResident).array;
  return { data: checked, shape: spec.shape, dtype: spec.dtype ?? 'float32' };
}
