/** @file ONNX Runtime as a backend: it computes in the worker thread, on the CPU or on a GPU through WebGPU or CUDA. */
import { isHalf, weightType } from '../compiler/half-weights.js';
import type { Program } from '../compiler/program.js';
import type { Device } from '../engine-names.js';
import type { TypedArray } from '../tensor-spec.js';
import { withinHalf } from '../threads.js';
import type { Traits } from '../traits.js';
import { readFinite, readFiniteHalf } from '../weights/finite.js';
import { ownerOf, type WeightSource } from '../weights/weights.js';
import type { ArrayValue, Backend, HeldArray, LoadedProgram, LoadOptions } from './backend.js';
import type { FedInput, WorkerRequest } from './messages.js';
import { askWorker, type WorkerName } from './worker-client.js';

const NO_WEIGHTS = 0;

/** Numbers name things in the workers, which all backends share. */
let lastNumber = NO_WEIGHTS;

/** Each source of weights is a numbered set in the worker. */
type WeightSets = WeakMap<WeightSource, { readonly number: number; readonly names: Set<string> }>;

export class OnnxRuntime implements Backend {
  constructor(
    private readonly device: Device,
    readonly traits: Traits,
    private readonly worker: WorkerName = 'first',
    private readonly sets: WeightSets = new WeakMap(),
    private readonly isHalf = false,
  ) {}

  /** The same worker, with the weights that it has, on half of the cores. */
  half(): OnnxRuntime {
    return new OnnxRuntime(this.device, this.traits, this.worker, this.sets, true);
  }

  private ask(request: WorkerRequest, transfer?: readonly ArrayBuffer[]) {
    return askWorker(this.worker, request, transfer);
  }

  /** Sends what nobody waits for. Where the thread has failed, whoever asks next hears of it. */
  private tell(request: WorkerRequest): void {
    this.ask(request).catch(() => {});
  }

  async upload(weights: WeightSource, names: readonly string[]): Promise<void> {
    const owner = ownerOf(weights);
    const set = this.sets.get(owner) ?? { number: ++lastNumber, names: new Set<string>() };
    this.sets.set(owner, set);
    const { device } = this;
    let sent: Promise<unknown> = Promise.resolve();
    for (const name of names) {
      if (set.names.has(name)) continue;
      const type = weights.halves?.type(name) ?? 'float32';
      const kept = weightType(weights, name, this.traits);
      const data = isHalf(type) ? readFiniteHalf(weights, name, type) : readFinite(weights, name);
      // One is on its way, and widened there, while the next is read.
      await sent;
      if (set.names.has(name)) continue;
      set.names.add(name);
      // Handed over, not copied; a view of a larger buffer (a small read from a file) cannot be.
      const own = data.byteLength === data.buffer.byteLength ? data : data.slice();
      sent = this.ask({ kind: 'weight', device, set: set.number, name, type, kept, data: own }, [
        own.buffer as ArrayBuffer,
      ]);
      // Where the next cannot be read, nobody waits for this one.
      sent.catch(() => {});
    }
    await sent;
  }

  async load(content: Program, { weights, threads, ...settings }: LoadOptions): Promise<LoadedProgram> {
    const program = ++lastNumber;
    const set = (weights && this.sets.get(ownerOf(weights))?.number) ?? NO_WEIGHTS;
    const { device } = this;
    const limited = this.isHalf ? withinHalf(threads) : threads;
    await this.ask({ kind: 'load', device, program, set, content, threads: limited, ...settings });
    return { number: program, outputs: content.outputs };
  }

  async run<K extends string>(
    { number, outputs }: LoadedProgram,
    inputs: Readonly<Record<string, ArrayValue | HeldArray>>,
    keep: readonly K[],
  ): Promise<{ values: Record<string, TypedArray>; kept: Record<K, HeldArray> }> {
    const fed: Record<string, FedInput> = {};
    for (const [name, input] of Object.entries(inputs))
      fed[name] = 'number' in input ? { held: input.number } : input;
    const kept = {} as Record<K, HeldArray>;
    const numbers: Record<string, number> = {};
    for (const { name, shape, dtype } of outputs) {
      if (!(keep as readonly string[]).includes(name)) continue;
      numbers[name] = ++lastNumber;
      kept[name as K] = { number: lastNumber, shape, dtype };
    }
    const results = await this.ask({ kind: 'run', program: number, inputs: fed, keep: numbers });
    const values = Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
    return { values, kept };
  }

  async write(value: ArrayValue): Promise<HeldArray> {
    const held = ++lastNumber;
    await this.ask({ kind: 'write', device: this.device, held, value });
    return { number: held, shape: value.shape, dtype: value.dtype };
  }

  async read({ number }: HeldArray): Promise<TypedArray> {
    return (await this.ask({ kind: 'read', held: number })).value!.data;
  }

  disposeArray({ number }: HeldArray): void {
    this.tell({ kind: 'release', held: number });
  }

  disposeProgram({ number }: LoadedProgram): void {
    this.tell({ kind: 'unload', program: number });
  }

  async disposeWeights(weights: WeightSource): Promise<void> {
    const owner = ownerOf(weights);
    const set = this.sets.get(owner);
    this.sets.delete(owner);
    if (set) await this.ask({ kind: 'forget', set: set.number });
  }
}
