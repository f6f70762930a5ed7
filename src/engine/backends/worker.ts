/**
 * @file The thread in which ONNX Runtime computes (its `run` blocks whoever calls it).
 *
 * Holds the sessions, the one copy of each set of weights, what was derived from them, and arrays that the
 * caller left here between runs (training state, key-value caches).
 */
import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { Feed } from '../compiler/feeds.js';
import { isHalf } from '../compiler/half-weights.js';
import { type Program, widensHalves, withConstants } from '../compiler/program.js';
import { sizeOf } from '../tensor-spec.js';
import { float32FromBf16, float32FromF16 } from '../weights/half.js';
import type { ArrayValue } from './backend.js';
import { freeTensor } from './free-tensor.js';
import type { FedInput, Reply, WorkerRequest } from './messages.js';
import {
  fetchArray,
  gpuTrouble,
  reshapedTensor,
  type Sessions,
  type WorkerDevice,
  workerDevices,
} from './worker-device.js';

interface WorkerProgram {
  readonly sessions: Sessions;
  readonly program: Program;
  /** What is the same in every run: weights, and what was derived from them. */
  readonly fixed: Readonly<Record<string, ort.Tensor>>;
  readonly set: WeightSet;
}

interface WeightSet {
  readonly weights: Map<string, ort.Tensor>;
  readonly derived: Map<string, ort.Tensor>;
  /** What derived values came from, where their memory goes with it. */
  readonly derivations: Sessions[];
  /** Programs that are fed with it. */
  users: number;
  forgotten: boolean;
}

const weightSets = new Map<number, WeightSet>();
const programs = new Map<number, WorkerProgram>();
const held = new Map<number, ort.Tensor>();

function weightSet(id: number): WeightSet {
  const found = weightSets.get(id);
  if (found) return found;
  const made = { weights: new Map(), derived: new Map(), derivations: [], users: 0, forgotten: false };
  weightSets.set(id, made);
  return made;
}

/** Frees the memory of a set that nobody can use any more. */
async function freeUnused({ weights, derived, derivations, users, forgotten }: WeightSet): Promise<void> {
  if (!forgotten || users > 0) return;
  for (const tensor of [...weights.values(), ...derived.values()]) freeTensor(tensor);
  for (const sessions of derivations) await sessions.release();
}

const tensorOf = ({ data, shape, dtype }: ArrayValue): ort.Tensor =>
  new ort.Tensor(dtype, data as Float32Array, shape);
const arrayOf = (tensor: ort.Tensor): ArrayValue => ({
  data: tensor.data as Float32Array,
  shape: tensor.dims,
  dtype: tensor.type as 'float32',
});

const wideners = { float16: float32FromF16, bfloat16: float32FromBf16 };

/** ONNX Runtime takes no bfloat16 from JavaScript: graphs get the bits and make it of them. */
function weightTensor({ type, kept, data }: Extract<WorkerRequest, { kind: 'weight' }>): ort.Tensor {
  if (isHalf(type) && !isHalf(kept)) return new ort.Tensor('float32', wideners[type](data as Uint16Array));
  return new ort.Tensor(type === 'bfloat16' ? 'uint16' : type, data as Float32Array);
}

/** A weight or derived value in the shape a program wants it in. */
function fixedTensor(feed: Feed, set: WeightSet): ort.Tensor {
  const tensor =
    feed.kind === 'weight'
      ? set.weights.get(feed.weight)
      : feed.kind === 'derived'
        ? set.derived.get(feed.key)
        : undefined;
  if (!tensor) throw new Error(`${feed.name} was not given to the worker`);
  if (feed.kind !== 'weight' || feed.start === undefined) return reshapedTensor(tensor, feed.shape);
  const part = (tensor.data as Float32Array).subarray(feed.start, feed.start + sizeOf(feed.shape));
  return new ort.Tensor(tensor.type as 'float32', part, feed.shape);
}

const fixedTensors = (feeds: readonly Feed[], set: WeightSet) =>
  Object.fromEntries(
    feeds.flatMap((feed) => (feed.kind === 'input' ? [] : [[feed.name, fixedTensor(feed, set)]])),
  );

async function derive({ derivation }: Program, set: WeightSet, device: WorkerDevice): Promise<void> {
  const missing = derivation?.outputs.map(({ name }) => name).filter((name) => !set.derived.has(name)) ?? [];
  if (!derivation || missing.length === 0) return;
  const settings = { threads: 0, arena: false, spins: false, widensHalves: widensHalves(derivation) };
  const sessions = await device.open(derivation.model, settings);
  const session = await sessions.keeping(missing);
  const results = await session.run(fixedTensors(derivation.feeds, set), missing);
  for (const [key, tensor] of Object.entries(results)) set.derived.set(key, tensor);
  if (device.ownsResults) set.derivations.push(sessions);
  else await sessions.release();
}

function inputTensor(input: FedInput | undefined, name: string): ort.Tensor {
  if (!input) throw new Error(`the input "${name}" is missing`);
  if (!('held' in input)) return tensorOf(input);
  const tensor = held.get(input.held);
  if (!tensor) throw new Error(`the array given for "${name}" was released`);
  return tensor;
}

async function load({
  device: name,
  program,
  set: id,
  content,
  ...settings
}: Extract<WorkerRequest, { kind: 'load' }>) {
  const [device, set] = [workerDevices[name], weightSet(id)];
  await derive(content, set, device);
  const model = withConstants(content, (feed) => fixedTensor(feed, set).data as Int8Array);
  const sessions = await device.open(model, { ...settings, widensHalves: widensHalves(content) });
  set.users++;
  programs.set(program, { sessions, program: content, fixed: fixedTensors(content.feeds, set), set });
}

async function unload(program: number): Promise<void> {
  const loaded = programs.get(program);
  if (!loaded) return;
  programs.delete(program);
  await loaded.sessions.release();
  loaded.set.users--;
  await freeUnused(loaded.set);
}

async function run({ program, inputs, keep }: Extract<WorkerRequest, { kind: 'run' }>) {
  const loaded = programs.get(program);
  if (!loaded) throw new Error('the program was disposed of');
  const feeds: Record<string, ort.Tensor> = { ...loaded.fixed };
  for (const { kind, name } of loaded.program.feeds) {
    if (kind !== 'input') continue;
    const inputName = name.slice('input:'.length);
    feeds[name] = inputTensor(inputs[inputName], inputName);
  }
  const session = await loaded.sessions.keeping(Object.keys(keep));
  const results = await session.run(feeds);
  const outputs: Record<string, ArrayValue> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const kept = keep[name];
    if (kept === undefined) outputs[name] = arrayOf(tensor);
    else held.set(kept, tensor);
  }
  return outputs;
}

async function handle(request: WorkerRequest): Promise<Record<string, ArrayValue>> {
  switch (request.kind) {
    case 'weight': {
      const { device, set, name } = request;
      weightSet(set).weights.set(name, await workerDevices[device].place(weightTensor(request)));
      return {};
    }
    case 'forget': {
      const set = weightSet(request.set);
      weightSets.delete(request.set);
      set.forgotten = true;
      await freeUnused(set);
      return {};
    }
    case 'load':
      await load(request);
      return {};
    case 'unload':
      await unload(request.program);
      return {};
    case 'run':
      return run(request);
    case 'read': {
      const { data, shape, dtype } = arrayOf(await fetchArray(inputTensor(request, 'read')));
      return { value: { data: data.slice(), shape, dtype } };
    }
    case 'write':
      held.set(request.held, await workerDevices[request.device].place(tensorOf(request.value)));
      return {};
    case 'release': {
      const tensor = held.get(request.held);
      held.delete(request.held);
      if (tensor) freeTensor(tensor);
      return {};
    }
    default:
      return request satisfies never;
  }
}

let last: Promise<void> = Promise.resolve();

// One request after the other, in the order in which they came.
parentPort!.on('message', ({ id, request }: { id: number; request: WorkerRequest }) => {
  last = last.then(async () => {
    let reply: Reply;
    try {
      reply = { id, outputs: await handle(request) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const sentence = gpuTrouble(message);
      reply = { id, error: sentence ?? message, isUsers: sentence !== undefined };
    }
    const buffers =
      'outputs' in reply ? Object.values(reply.outputs).map(({ data }) => data.buffer as ArrayBuffer) : [];
    parentPort!.postMessage(reply, [...new Set(buffers)]);
  });
});
