/** @file Gradient ascent on a batch of pictures: a step is one compiled graph, and the picture stays in the engine. */

import { OnDemand } from '../../core/on-demand.js';
import type { Random } from '../../core/random.js';
import { type Compiled, compile, type Engine, type Resident, resident } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { OptimizerName } from '../names.js';
import { evaluateObjective, type Objective } from '../objectives/objective.js';
import type { Parameterization } from '../parameterizations/parameterization.js';
import { type Preprocessing, preprocess } from '../preprocess.js';
import type { View } from '../transforms/view.js';
import { optimizers } from './optimizers.js';
import { withRedirectedRelu } from './redirected-relu.js';

export interface AscentOptions {
  readonly objective: Objective;
  readonly preprocessing: Preprocessing;
  readonly parameterization: Parameterization;
  /** What the network is shown of a picture at a step. */
  readonly view: View;
  /** What it is shown when the picture is measured. */
  readonly plainView: View;
  readonly optimizer: OptimizerName;
  readonly engine: Engine;
}

/**
 * How a step is computed: as it is; in 8 bits or half precision, good to about a percent; or with a gradient that is let past dead ReLUs.
 */
type StepKind = 'step' | 'rough step' | 'redirected step';

export interface AscentStep {
  /** Activation of the transformed picture before the step, by row of the batch. */
  readonly activation: Float32Array;
  /** Length of the gradient, by row; 0 where nothing moves the picture. */
  readonly gradient: Float32Array;
}

/** Everything that a step depends on, beside random numbers. */
export interface AscentState {
  readonly steps: number;
  /** The parameter and the optimizer's averages. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

/** A batch of pictures on its way up. Created with a start, stepped, looked at, disposed of. */
export class Ascent {
  private readonly programs = new OnDemand<string, Compiled>();
  /** What `hold` gave, and no step frees. */
  private held: Resident | undefined;

  private constructor(
    private readonly options: AscentOptions,
    private state: Record<string, Resident>,
    private steps: number,
  ) {}

  /**
   * @param start - the parameter to begin with (`Parameterization.noise` or `fromPictures`), or where an earlier
   *   ascent stood
   */
  static async create(options: AscentOptions, start: Float32Array | AscentState): Promise<Ascent> {
    const { shape } = options.parameterization;
    const { steps, arrays } =
      start instanceof Float32Array
        ? { steps: 0, arrays: { parameter: start } as AscentState['arrays'] }
        : start;
    const state: Record<string, Resident> = {};
    for (const name of ['parameter', ...optimizers[options.optimizer]().slots]) {
      const data = arrays[name] ?? new Float32Array(sizeOf(shape));
      state[name] = await resident(data, { shape }, options.engine);
    }
    return new Ascent(options, state, steps);
  }

  /** What `create` resumes from. */
  async snapshot(): Promise<AscentState> {
    const arrays: Record<string, Float32Array> = {};
    for (const [name, array] of Object.entries(this.state))
      arrays[name] = (await array.read()) as Float32Array;
    return { steps: this.steps, arrays };
  }

  /** Whether rough steps take much less time. */
  async gainsRoughly(): Promise<boolean> {
    return (await this.program('step')).gainsRoughly;
  }

  async step(rate: number, random: Random, kind: StepKind): Promise<AscentStep> {
    const program = await this.program(kind);
    const inputs = { ...this.options.view.draw(random), ...this.state, rate: [rate], step: [++this.steps] };
    const { values, kept } = await program.runKeeping(inputs, Object.keys(this.state));
    this.release();
    this.state = kept;
    return values as unknown as AscentStep;
  }

  /** This moment, which can be looked at and measured after further steps, until it is let go. */
  hold(): Resident {
    this.held = this.state.parameter!;
    return this.held;
  }

  letGo(): void {
    if (this.held !== this.state.parameter) this.held?.release();
    this.held = undefined;
  }

  /** The pictures of this moment or one that is held, [batch, height, width, channel] in [0, 1]. */
  async pictures(parameter = this.state.parameter!): Promise<Float32Array> {
    const { pictures } = await (await this.program('pictures')).run({ parameter });
    return pictures as Float32Array;
  }

  /** Activations of the pictures as they are, by row. */
  async measure(random: Random, parameter = this.state.parameter!): Promise<Float32Array> {
    const inputs = { parameter, ...this.options.plainView.draw(random) };
    return (await (await this.program('measure')).run(inputs)).activation as Float32Array;
  }

  async dispose(): Promise<void> {
    this.letGo();
    this.release();
    await this.programs.dispose();
  }

  private release(): void {
    for (const array of Object.values(this.state)) if (array !== this.held) array.release();
  }

  /** Compiled when first asked for: few renders need all of them. */
  private program(name: StepKind | 'pictures' | 'measure'): Promise<Compiled> {
    const { objective, parameterization, view, plainView, engine } = this.options;
    const { shape } = parameterization;
    const parameter = { parameter: { shape } };
    const scalar = { shape: [] };
    return this.programs.get(name, () => {
      if (name === 'pictures') {
        return compile(({ parameter }) => ({ pictures: parameterization.picture(parameter!) }), {
          inputs: parameter,
          engine,
        });
      }
      const common = { weights: objective.network.weights, engine };
      if (name === 'measure') {
        const inputs = { ...parameter, ...plainView.inputs };
        return compile((inputs, weights) => this.measured(inputs, weights), { inputs, ...common });
      }
      const state = Object.fromEntries(Object.keys(this.state).map((key) => [key, { shape }]));
      const inputs = { ...state, ...view.inputs, rate: scalar, step: scalar };
      return compile(
        (inputs, weights) =>
          name === 'redirected step'
            ? withRedirectedRelu(() => this.stepped(inputs, weights))
            : this.stepped(inputs, weights),
        {
          inputs,
          ...common,
          precision: name === 'rough step' ? 'rough' : 'float32',
          packed: true,
          keepsMemory: true,
        },
      );
    });
  }

  private measured(inputs: Record<string, tf.Tensor>, weights: WeightLookup): Record<string, tf.Tensor> {
    const { objective, parameterization, plainView, preprocessing } = this.options;
    const pictures = parameterization.picture(inputs.parameter!);
    const seen = preprocess(plainView.apply(pictures, inputs), preprocessing);
    return { activation: evaluateObjective(objective, weights, pictures, seen).activation };
  }

  private stepped(inputs: Record<string, tf.Tensor>, weights: WeightLookup): Record<string, tf.Tensor> {
    const { objective, parameterization, view, preprocessing, optimizer } = this.options;
    let activation: tf.Tensor | undefined;
    // Each picture's gradient is its own: the sum has them all.
    const climb = (parameter: tf.Tensor): tf.Scalar => {
      const pictures = parameterization.picture(parameter);
      const seen = preprocess(view.apply(pictures, inputs), preprocessing);
      const values = evaluateObjective(objective, weights, pictures, seen);
      activation = tf.keep(values.activation);
      return tf.sum(values.total);
    };
    const parameter = inputs.parameter!;
    const gradient = tf.grad(climb)(parameter);
    const axes = gradient.shape.map((_, axis) => axis).slice(1);
    const rule = optimizers[optimizer]();
    const slots = Object.fromEntries(rule.slots.map((slot) => [slot, inputs[slot]!]));
    const updated = rule.apply(parameter, tf.neg(gradient), slots, inputs.rate!, inputs.step!);
    return {
      activation: activation!,
      gradient: tf.sqrt(tf.sum(tf.square(gradient), axes)),
      parameter: parameterization.project?.(updated.parameter) ?? updated.parameter,
      ...updated.slots,
    };
  }
}
