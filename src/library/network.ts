/** @file A vision network, open: pictures of what its channels respond to, with the command line's defaults. */
import type { LoadedNetwork } from '../jobs/open-network.js';
import type { LayerInfo, VisionNetwork } from '../vision/network.js';
import { type Expression, formatExpression } from '../vision/objectives/expression.js';
import { type FieldsOf, type Kept, type KeptResult, runTask, type Stoppable } from './run-task.js';
import { Running } from './running.js';

/** Further fields of a job `image`: `steps`, `size`, `transforms`, `animation` … */
export interface RenderFields extends FieldsOf<'image', 'units'>, Kept {}

/** What was rendered: `units` have the pictures. */
export type RenderOutcome = KeptResult<'image'>;

/** A unit or an objective as text, or an objective made by `layerObjective` or `parseExpression`. */
export type ObjectiveInput = string | Expression;

/**
 * Opens a network once, for any number of pictures.
 *
 * ```ts
 * const net = await openNetwork('tiny-vgg');
 * const { units } = await net.render('block3_conv2:4', { steps: 24, image: 'block3_conv2.png' });
 * ```
 *
 * @param name - an embedded network's name, a file or folder (TensorFlow.js, ONNX, safetensors of torchvision), or a
 *   hub id; without it the largest embedded one
 * @throws UserError when there is no such network, or it cannot be read
 */
export function openNetwork(name: string | null = null, { signal }: Stoppable = {}): Running<Network> {
  return new Running(async function* () {
    const { loadNetwork } = await import('../jobs/open-network.js');
    return new Network(yield* loadNetwork(name, signal ?? new AbortController().signal));
  });
}

/** An open network. Options are the fields of the task's job (its schema in `src/jobs`), with its defaults. */
export class Network {
  constructor(private readonly loaded: LoadedNetwork) {}

  get name(): string {
    return this.network.name;
  }

  /** In order of computation. */
  get layers(): readonly LayerInfo[] {
    return this.network.layers;
  }

  /** The network itself, for the functions of `superstimulus/vision`. */
  get network(): VisionNetwork {
    return this.loaded.network;
  }

  /**
   * Draws the picture that excites each unit most, by gradient ascent.
   *
   * @param units - `block3_conv2:4`, `block3_conv2:0-15`, a sum of units and penalties, a `layerObjective`, or several
   */
  render(
    units: ObjectiveInput | readonly ObjectiveInput[],
    options: RenderFields = {},
  ): Running<RenderOutcome> {
    const asked = ([] as ObjectiveInput[]).concat(units);
    const texts = asked.map((unit) => (typeof unit === 'string' ? unit : formatExpression(unit)));
    const objectives = asked.map((unit) => (typeof unit === 'string' ? null : unit));
    const given = { network: this.loaded, objectives };
    return runTask('image', { model: this.name, units: texts }, options, given);
  }

  /** Frees what the engines keep of the weights. The network can still be used: they are then read again. */
  async dispose(): Promise<void> {
    const { releaseWeights } = await import('../engine/compile.js');
    await releaseWeights(this.network.weights);
  }
}
