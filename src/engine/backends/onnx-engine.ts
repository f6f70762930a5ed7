/** @file Engine `onnx`: trace, write ONNX, run it in the worker thread. */
import type { Compiled, CompileOptions, Resident, RunInput } from '../compile.js';
import { multiplications, reachable, type Traced } from '../compiler/graph.js';
import { narrow } from '../compiler/narrow.js';
import { buildProgram, type Program } from '../compiler/program.js';
import { quantizeProducts } from '../compiler/quantize.js';
import { type TensorFunction, trace } from '../compiler/trace.js';
import { workingMemory } from '../compiler/working-memory.js';
import type { DType, TensorSpec, TypedArray } from '../tensor-spec.js';
import { readFinite } from '../weights/finite.js';
import type { WeightSource } from '../weights/weights.js';
import { checkedInput, isResident, specOf } from './inputs.js';
import type { ArrayValue, FedInput } from './messages.js';
import { askWorker } from './worker-client.js';

let nextProgram = 0;
let nextResident = 0;

/** Each source of weights is a numbered set in the worker; what was sent is not sent again. */
const sentWeights = new WeakMap<WeightSource, { readonly set: number; readonly names: Set<string> }>();
const NO_WEIGHTS = 0;
let nextSet = NO_WEIGHTS + 1;

async function sendWeights(program: Program, source: WeightSource | undefined): Promise<number> {
  if (!source) return NO_WEIGHTS;
  let sent = sentWeights.get(source);
  if (!sent) {
    sent = { set: nextSet++, names: new Set() };
    sentWeights.set(source, sent);
  }
  for (const feed of [...program.feeds, ...(program.derivation?.feeds ?? [])]) {
    if (feed.kind !== 'weight' || sent.names.has(feed.weight)) continue;
    const data = readFinite(source, feed.weight);
    sent.names.add(feed.weight);
    // Handed over, not copied; a view of a larger buffer (a small read from a file) cannot be.
    const own = data.byteLength === data.buffer.byteLength ? data : data.slice();
    // One by one, so that only one weight at a time is on its way.
    await askWorker({ kind: 'weight', set: sent.set, name: feed.weight, data: own }, [
      own.buffer as ArrayBuffer,
    ]);
  }
  return sent.set;
}

export async function releaseOnnx(source: WeightSource): Promise<void> {
  const sent = sentWeights.get(source);
  sentWeights.delete(source);
  if (sent) await askWorker({ kind: 'forget', set: sent.set });
}

/**
 * Multiplications of the largest product from which on waking a second thread pays: of a model of 64 dimensions calls
 * take 0.7 of the time on one thread, of one of 192 longer (docs/decisions/07-threads.md).
 */
const WORTH_THREADS = 2 ** 25;

/** One thread for small graphs, else as many as there are cores. */
function threadsFor({ outputs }: Traced): number {
  const { nodes } = reachable(Object.values(outputs));
  const convolves = nodes.some(({ op }) => op.startsWith('Conv'));
  return convolves || nodes.some((node) => (multiplications(node) ?? 0) >= WORTH_THREADS) ? 0 : 1;
}

/**
 * Bytes that a graph works in up to which it keeps them from one run to the next (an arena): searches take up to a fifth less
 * time, but the memory stays taken (docs/decisions/08-working-memory.md).
 */
const LITTLE_MEMORY = 48 * 2 ** 20;

export async function compileOnnx(fn: TensorFunction, options: CompileOptions): Promise<Compiled> {
  const traced = narrow(trace(fn, options.inputs, options.weights));
  const computed = options.precision === 'int8' ? quantizeProducts(traced, options.evenRows) : traced;
  const content = buildProgram(computed, options.packed);
  const set = await sendWeights(content, options.weights);
  const program = nextProgram++;
  const threads = options.threads ?? threadsFor(traced);
  const arena = workingMemory(computed) <= LITTLE_MEMORY;
  await askWorker({ kind: 'load', program, set, content, threads, arena });
  const outputs = Object.fromEntries(
    content.outputs.map(({ name, shape, dtype }) => [name, specOf(dtype, shape)]),
  );

  async function run(inputs: Readonly<Record<string, RunInput>>, keep: Readonly<Record<string, number>>) {
    const fed = Object.entries(options.inputs).map(([name, spec]): [string, FedInput] => [
      name,
      feed(name, spec, inputs[name]),
    ]);
    const results = await askWorker({ kind: 'run', program, inputs: Object.fromEntries(fed), keep });
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
  }

  return {
    outputs,
    run: (inputs) => run(inputs, {}),
    async runKeeping<K extends string>(inputs: Readonly<Record<string, RunInput>>, keep: readonly K[]) {
      const kept = Object.fromEntries(keep.map((name) => [name, makeResident(outputs[name]!)])) as Record<
        K,
        WorkerResident
      >;
      const numbers = Object.fromEntries(keep.map((name) => [name, kept[name].number]));
      return { values: await run(inputs, numbers), kept };
    },
    dispose: () => void askWorker({ kind: 'unload', program }),
  };
}

// -- arrays that stay in the worker --------------------------------------------------------------------------

interface WorkerResident extends Resident {
  readonly number: number;
}

function makeResident({ shape, dtype }: Required<TensorSpec>): WorkerResident {
  const number = nextResident++;
  return {
    number,
    shape,
    dtype,
    read: async () => (await askWorker({ kind: 'read', resident: number })).value!.data,
    release: () => void askWorker({ kind: 'release', residents: [number] }),
  };
}

/** Puts an array into the worker to be fed to many runs. */
export async function residentOnnx(
  data: TypedArray,
  shape: readonly number[],
  dtype: DType,
): Promise<Resident> {
  const resident = makeResident({ shape, dtype });
  await askWorker({ kind: 'write', resident: resident.number, value: { data, shape, dtype } });
  return resident;
}

function feed(name: string, spec: TensorSpec, input: RunInput | undefined): FedInput {
  const checked = checkedInput(name, spec, input);
  if (isResident(checked)) return { resident: (checked as WorkerResident).number };
  return { data: checked, shape: spec.shape, dtype: spec.dtype ?? 'float32' } satisfies ArrayValue;
}
