/**
 * @file The thread in which ONNX Runtime computes (its `run` blocks whoever calls it).
 *
 * Holds the sessions, the one copy of each set of weights, what was derived from them, and arrays that the
 * caller left here between runs (training state, key-value caches).
 */
import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { type Feed, type Program, withConstants } from '../compiler/program.js';
import type { ArrayValue, FedInput, Reply, Request } from './messages.js';

interface LoadedProgram {
  readonly session: ort.InferenceSession;
  readonly program: Program;
  readonly set: WeightSet;
}

interface WeightSet {
  readonly weights: Map<string, Float32Array>;
  readonly derived: Map<string, ort.Tensor>;
}

const weightSets = new Map<number, WeightSet>();
const programs = new Map<number, LoadedProgram>();
const residents = new Map<number, ort.Tensor>();

function weightSet(id: number): WeightSet {
  const found = weightSets.get(id);
  if (found) return found;
  const made = { weights: new Map(), derived: new Map() };
  weightSets.set(id, made);
  return made;
}

function createSession(
  model: Uint8Array,
  { threads, arena }: Pick<Extract<Request, { kind: 'load' }>, 'threads' | 'arena'>,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableCpuMemArena: arena,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    extra: {
      session: {
        // exp() of a masked score underflows to numbers that processors handle many times more slowly.
        set_denormal_as_zero: '1',
        // Threads that spin while they wait take the cores that the search and others need.
        intra_op: { allow_spinning: '0' },
      },
      // It moves the zeros of a Pad into the border of a max pool, where they never win: wrong for negative values.
      optimization: { disable_specified_optimizers: 'Pad_Fusion' },
    },
  });
}

const tensorOf = ({ data, shape, dtype }: ArrayValue): ort.Tensor =>
  new ort.Tensor(dtype, data as Float32Array, shape);
const arrayOf = (tensor: ort.Tensor): ArrayValue => ({
  data: tensor.data as Float32Array,
  shape: tensor.dims,
  dtype: tensor.type as 'float32',
});

/** A weight or derived value in the shape a program wants it in. */
function fixedTensor(feed: Feed, set: WeightSet): ort.Tensor {
  const data =
    feed.kind === 'weight'
      ? set.weights.get(feed.weight)
      : feed.kind === 'derived'
        ? set.derived.get(feed.key)?.data
        : undefined;
  if (!data) throw new Error(`${feed.name} was not given to the worker`);
  return new ort.Tensor(feed.dtype, data as Float32Array, feed.shape);
}

async function derive({ derivation }: Program, set: WeightSet): Promise<void> {
  const missing = derivation?.outputs.map(({ name }) => name).filter((name) => !set.derived.has(name)) ?? [];
  if (!derivation || missing.length === 0) return;
  const session = await createSession(derivation.model, { threads: 0, arena: false });
  const results = await session.run(
    Object.fromEntries(derivation.feeds.map((feed) => [feed.name, fixedTensor(feed, set)])),
    missing,
  );
  for (const [key, tensor] of Object.entries(results)) set.derived.set(key, tensor);
  await session.release();
}

function inputTensor(input: FedInput | undefined, name: string): ort.Tensor {
  if (!input) throw new Error(`the input "${name}" is missing`);
  if (!('resident' in input)) return tensorOf(input);
  const tensor = residents.get(input.resident);
  if (!tensor) throw new Error(`the array given for "${name}" was released`);
  return tensor;
}

async function handle(request: Request): Promise<Record<string, ArrayValue>> {
  switch (request.kind) {
    case 'weight':
      weightSet(request.set).weights.set(request.name, request.data);
      return {};
    case 'forget':
      weightSets.delete(request.set);
      return {};
    case 'load': {
      const set = weightSet(request.set);
      await derive(request.content, set);
      const model = withConstants(request.content, (feed) => fixedTensor(feed, set).data as Int8Array);
      const session = await createSession(model, request);
      programs.set(request.program, { session, program: request.content, set });
      return {};
    }
    case 'unload':
      await programs.get(request.program)?.session.release();
      programs.delete(request.program);
      return {};
    case 'run': {
      const loaded = programs.get(request.program);
      if (!loaded) throw new Error('the program was disposed of');
      const feeds: Record<string, ort.Tensor> = {};
      for (const feed of loaded.program.feeds) {
        const inputName = feed.name.slice('input:'.length);
        feeds[feed.name] =
          feed.kind === 'input'
            ? inputTensor(request.inputs[inputName], inputName)
            : fixedTensor(feed, loaded.set);
      }
      const results = await loaded.session.run(feeds);
      const outputs: Record<string, ArrayValue> = {};
      for (const [name, tensor] of Object.entries(results)) {
        const kept = request.keep[name];
        if (kept === undefined) outputs[name] = arrayOf(tensor);
        else residents.set(kept, tensor);
      }
      return outputs;
    }
    case 'read': {
      const { data, shape, dtype } = arrayOf(inputTensor({ resident: request.resident }, 'read'));
      return { value: { data: data.slice(), shape, dtype } };
    }
    case 'write':
      residents.set(request.resident, tensorOf(request.value));
      return {};
    case 'release':
      for (const id of request.residents) residents.delete(id);
      return {};
    default:
      return request satisfies never;
  }
}

let last: Promise<void> = Promise.resolve();

// One request after the other, in the order in which they came.
parentPort!.on('message', ({ id, request }: { id: number; request: Request }) => {
  last = last.then(async () => {
    let reply: Reply;
    try {
      reply = { id, outputs: await handle(request) };
    } catch (error) {
      reply = { id, error: error instanceof Error ? error.message : String(error) };
    }
    const buffers =
      'outputs' in reply ? Object.values(reply.outputs).map(({ data }) => data.buffer as ArrayBuffer) : [];
    parentPort!.postMessage(reply, [...new Set(buffers)]);
  });
});
