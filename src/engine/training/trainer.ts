/**
 * @file Training with the compiled engine: loss, gradients and update are one graph.
 *
 * Parameters and running averages are inputs and outputs of that graph and stay in the worker between steps.
 */
import { type Compiled, compile, type Engine, type Resident, resident } from '../compile.js';
import * as tf from '../functions/tfjs.js';
import type { TensorSpec, TypedArray } from '../tensor-spec.js';
import { sizeOf } from '../tensor-spec.js';
import type { WeightArray, WeightLookup, WeightSource } from '../weights/weights.js';
import { clipByGlobalNorm, type Slots, type UpdateRule } from './optimizer.js';

export interface TrainerOptions {
  /** Scalar loss of a batch, and what else to report. The lookup knows the parameters and the frozen weights. */
  readonly loss: (
    inputs: Record<string, tf.Tensor>,
    weights: WeightLookup,
  ) => { loss: tf.Scalar; report?: Record<string, tf.Tensor> };
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  readonly parameters: ReadonlyMap<string, WeightArray>;
  /** Weights that the loss reads and training leaves as they are; a parameter of the same name hides one. */
  readonly frozen?: WeightSource;
  readonly rule: (name: string, shape: readonly number[]) => UpdateRule;
  /** Largest common L2 norm of the gradients. */
  readonly clipNorm?: number;
  readonly engine?: Engine;
}

export interface StepResult {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  readonly report: Readonly<Record<string, TypedArray>>;
}

/** Parameters and running averages by name; what a checkpoint holds beside the caller's own position. */
export type TrainingState = Map<string, WeightArray>;

/** A state's arrays are named `parameter`, or `parameter#slot`. */
const slotName = (parameter: string, slot: string) => `${parameter}#${slot}`;

/**
 * Takes training steps: batches in, loss out, parameters updated where they are.
 *
 * ```ts
 * const trainer = await Trainer.create({ loss, inputs, parameters, rule: () => adamW() });
 * const { loss } = await trainer.step({ ids }, learningRate);
 * ```
 */
export class Trainer {
  private constructor(
    private readonly compiled: Compiled,
    private state: Map<string, Resident>,
    /** Steps taken so far. */
    public steps: number,
  ) {}

  /** @param from - a state saved by `snapshot()` and the number of steps it had seen */
  static async create(
    options: TrainerOptions,
    from?: { state: TrainingState; steps: number },
  ): Promise<Trainer> {
    const names = [...options.parameters.keys()];
    const rules = new Map(
      names.map((name) => [name, options.rule(name, options.parameters.get(name)!.shape)]),
    );
    const shapes = new Map<string, readonly number[]>();
    for (const name of names) {
      const { shape } = options.parameters.get(name)!;
      for (const key of [name, ...rules.get(name)!.slots.map((slot) => slotName(name, slot))])
        shapes.set(key, shape);
    }
    const compiled = await compile((inputs, frozen) => trainingStep(options, rules, inputs, frozen), {
      inputs: {
        ...options.inputs,
        ...Object.fromEntries([...shapes].map(([key, shape]) => [key, { shape }])),
        rate: { shape: [] },
        step: { shape: [] },
      },
      ...(options.frozen && { weights: options.frozen }),
      engine: options.engine ?? 'onnx',
      keepsMemory: true,
    });
    const state = new Map<string, Resident>();
    for (const [key, shape] of shapes) {
      const data = (from?.state ?? options.parameters).get(key)?.data ?? new Float32Array(sizeOf(shape));
      state.set(key, await resident(data, { shape }, options.engine));
    }
    return new Trainer(compiled, state, from?.steps ?? 0);
  }

  /** One step on one batch. @param rate - learning rate of this step */
  async step(batch: Readonly<Record<string, TypedArray>>, rate: number): Promise<StepResult> {
    const keep = [...this.state.keys()];
    const inputs = { ...batch, ...Object.fromEntries(this.state), rate: [rate], step: [this.steps + 1] };
    const { values, kept } = await this.compiled.runKeeping(inputs, keep);
    for (const old of this.state.values()) old.release();
    this.state = new Map(Object.entries(kept));
    this.steps++;
    const { loss, gradientNorm, ...report } = values;
    return { loss: loss![0]!, gradientNorm: gradientNorm![0]!, report };
  }

  /** The arrays of this moment, to feed to another compiled function (evaluation, sampling). */
  get parameters(): ReadonlyMap<string, Resident> {
    return this.state;
  }

  /** Copies of everything that changes, to save or to export. */
  async snapshot(): Promise<TrainingState> {
    const copies: TrainingState = new Map();
    for (const [key, array] of this.state)
      copies.set(key, { shape: array.shape, data: (await array.read()) as Float32Array });
    return copies;
  }

  dispose(): void {
    for (const array of this.state.values()) array.release();
    this.compiled.dispose();
  }
}

function trainingStep(
  options: TrainerOptions,
  rules: ReadonlyMap<string, UpdateRule>,
  inputs: Record<string, tf.Tensor>,
  frozen: WeightLookup,
): Record<string, tf.Tensor> {
  const names = [...options.parameters.keys()];
  const parameters = names.map((name) => inputs[name]!);
  let report: Record<string, tf.Tensor> = {};
  const loss = (...values: tf.Tensor[]) => {
    const table = new Map(names.map((name, i) => [name, values[i]!]));
    const result = options.loss(inputs, (name) => {
      const value = table.get(name);
      if (!value && !options.frozen)
        throw new Error(`the loss asked for "${name}", which is not being trained`);
      return value ?? frozen(name);
    });
    report = Object.fromEntries(
      Object.entries(result.report ?? {}).map(([name, value]) => [name, tf.keep(value)]),
    );
    return result.loss;
  };
  const { value, grads } = tf.valueAndGrads(loss)(parameters);
  const { gradients, norm } = clipByGlobalNorm(grads, options.clipNorm ?? 1);
  const outputs: Record<string, tf.Tensor> = { loss: value, gradientNorm: norm, ...report };
  for (const [i, name] of names.entries()) {
    const rule = rules.get(name)!;
    const slots: Slots = Object.fromEntries(rule.slots.map((slot) => [slot, inputs[slotName(name, slot)]!]));
    const updated = rule.apply(parameters[i]!, gradients[i]!, slots, inputs.rate!, inputs.step!);
    outputs[name] = updated.parameter;
    for (const slot of rule.slots) outputs[slotName(name, slot)] = updated.slots[slot]!;
  }
  return outputs;
}
