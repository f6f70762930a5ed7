/** @file What a Keras layer is translated with, and what many layers have in common: an activation, a data format. */
import { UserError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { clipped } from '../../../core/visible.js';
import type { GraphBuilder } from '../../layers/graph.js';
import type { Op } from '../../layers/op.js';
import type { Param } from '../../layers/params.js';
import { type Padding, validPadding } from '../../layers/windows.js';

import { type Config, pairIn } from '../keras-config.js';

/** What a layer is translated with. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  readonly layer: string;
  /** Major version of the Keras that wrote the model. */
  readonly kerasVersion: number;
  /** The layer's weight `kernel`, `bias`, `gamma`… Throws UserError when the model has none. */
  weight(name: string): Param;
  hasWeight(name: string): boolean;
}

/** Adds the layer's operations after `inputs` and returns the node of its output. */
export type KerasRule = (config: Config, inputs: readonly number[], context: LayerContext) => number;

export function requireChannelsLast(config: Config): void {
  if (config.data_format === 'channels_first') {
    throw new UserError('channels come first (data_format channels_first): only channels_last is supported');
  }
}

export function paddingOf(config: Config): Padding {
  const name = config.padding ?? 'valid';
  if (name === 'same') return 'same';
  if (name === 'valid') return validPadding;
  throw new UserError(`the padding "${clipped(String(name))}" is not supported`);
}

/** The last axis, however Keras says it. */
export function requireLastAxis(config: Config, x: number, { graph }: LayerContext): void {
  const axis = pairIn(config, 'axis', [-1, -1])[0];
  const rank = graph.shape(x).length;
  if (axis !== -1 && axis !== rank - 1)
    throw new UserError(`works along axis ${axis}: only the last one is supported`);
}

export type ActivationFields = Omit<Extract<Op, { kind: 'activation' }>, 'kind'>;

const plainActivations: Record<string, ActivationFields> = {
  relu: { name: 'relu' },
  relu6: { name: 'clip', a: 0, b: 6 },
  sigmoid: { name: 'sigmoid' },
  tanh: { name: 'tanh' },
  elu: { name: 'elu' },
  selu: { name: 'selu' },
  swish: { name: 'silu' },
  silu: { name: 'silu' },
  mish: { name: 'mish' },
  softplus: { name: 'softplus' },
  gelu: { name: 'gelu' },
  exponential: { name: 'exp' },
  leaky_relu: { name: 'leaky-relu', a: 0.2 },
  hard_swish: { name: 'hard-swish' },
  hard_silu: { name: 'hard-swish' },
};

/** `activation` of a layer: a name, or an object that holds one. */
export function activate(activation: unknown, x: number, { graph, kerasVersion }: LayerContext): number {
  const held = activation as { config?: unknown; class_name?: string } | null | undefined;
  const name =
    typeof held === 'object' && held !== null
      ? typeof held.config === 'string'
        ? held.config
        : held.class_name
      : activation;
  if (name === undefined || name === null || name === 'linear') return x;
  if (name === 'softmax') return graph.add({ kind: 'softmax' }, x);
  if (name === 'hard_sigmoid') {
    const slope = kerasVersion >= 3 ? 1 / 6 : 0.2;
    return graph.add({ kind: 'activation', name: 'hard-sigmoid', a: slope, b: 0.5 }, x);
  }
  const known = own(plainActivations, String(name));
  if (!known) throw new UserError(`the activation "${clipped(String(name))}" is not supported`);
  return graph.add({ kind: 'activation', ...known }, x);
}
