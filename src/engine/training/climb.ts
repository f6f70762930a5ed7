/** @file One array that climbs along gradients computed elsewhere, and stays in the engine between steps. */
import { type Compiled, compile, resident } from '../compile.js';
import type { Engine } from '../engine-names.js';
import * as tf from '../functions/tfjs.js';
import { sizeOf } from '../tensor-spec.js';
import type { Resident, RunInput } from '../types.js';
import type { UpdateRule } from './optimizer.js';

export class Climb {
  private steps = 0;

  private constructor(
    private readonly update: Compiled,
    private state: Record<string, Resident>,
  ) {}

  static async create(
    start: Float32Array,
    shape: readonly number[],
    rule: UpdateRule,
    engine: Engine,
  ): Promise<Climb> {
    const names = ['parameter', ...rule.slots];
    const array = { shape };
    const update = await compile(
      ({ parameter, gradient, rate, step, ...slots }) => {
        const updated = rule.apply(parameter!, tf.neg(gradient!), slots, rate!, step!);
        return { parameter: updated.parameter, ...updated.slots };
      },
      {
        inputs: {
          ...Object.fromEntries(names.map((name) => [name, array])),
          gradient: array,
          rate: { shape: [] },
          step: { shape: [] },
        },
        engine,
      },
    );
    const state: Record<string, Resident> = {};
    for (const name of names) {
      const data = name === 'parameter' ? start : new Float32Array(sizeOf(shape));
      state[name] = await resident(data, array, engine);
    }
    return new Climb(update, state);
  }

  /** The array of this moment, to be fed to other functions. */
  get parameter(): Resident {
    return this.state.parameter!;
  }

  /** @param gradient - of what is to grow, of the array's shape */
  async step(gradient: RunInput, rate: number): Promise<void> {
    const inputs = { ...this.state, gradient, rate: [rate], step: [++this.steps] };
    const { kept } = await this.update.runKeeping(inputs, Object.keys(this.state));
    this.release();
    this.state = kept;
  }

  dispose(): void {
    this.release();
    this.update.dispose();
  }

  private release(): void {
    for (const array of Object.values(this.state)) array.release();
  }
}
