/** @file The topology of a Keras model as Keras 2, tf.keras and Keras 3 write it, brought to one form. */
import { UserError } from '../../core/errors.js';

export type Config = Readonly<Record<string, unknown>>;

/** The output of a layer's n-th call. */
export type TensorKey = `${string} ${number}`;

export const tensorKey = (layer: string, call: number): TensorKey => `${layer} ${call}`;

export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Config;
  /** For each time the layer is called, what it is called on: outputs of layers, or plain numbers (Keras 3). */
  readonly calls: readonly (readonly (TensorKey | number)[])[];
}

export interface KerasModel {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly TensorKey[];
  readonly outputs: readonly TensorKey[];
}

interface RawLayer {
  readonly class_name: string;
  readonly name?: string;
  readonly config: Config;
  readonly inbound_nodes?: readonly unknown[];
}

/** Everything of the form [layer, call, tensor] in an inbound node, whichever Keras wrote it, and numbers between. */
function references(node: unknown): (TensorKey | number)[] {
  if (typeof node === 'number') return [node];
  if (Array.isArray(node)) {
    if (typeof node[0] === 'string' && typeof node[1] === 'number') return [tensorKey(node[0], node[1])];
    return node.flatMap(references);
  }
  if (typeof node === 'object' && node !== null) {
    const { args, config } = node as { args?: unknown; config?: { keras_history?: unknown } };
    return references(config?.keras_history ?? args ?? []);
  }
  return [];
}

/** `["conv1", 0, 0]` or a list of such. */
function endpoints(raw: unknown): TensorKey[] {
  return references(raw ?? []).filter((key) => typeof key === 'string');
}

/** Reads `class_name` and `config` of a Functional or Sequential model. */
export function parseKerasModel(className: string, config: Config): KerasModel {
  const raw = (Array.isArray(config) ? config : config.layers) as readonly RawLayer[] | undefined;
  if (!raw) throw new UserError('this Keras model lists no layers: export it again as a LayersModel');
  const layerName = (layer: RawLayer): string => String(layer.name ?? layer.config.name);
  const name = typeof config.name === 'string' ? config.name : 'model';
  if (className !== 'Sequential') {
    return {
      name,
      layers: raw.map((layer) => ({
        className: layer.class_name,
        name: layerName(layer),
        config: layer.config,
        calls: (layer.inbound_nodes ?? []).map(references),
      })),
      inputs: endpoints(config.input_layers),
      outputs: endpoints(config.output_layers),
    };
  }
  // A chain; its input layer, where it has none of its own, is made here.
  const [first] = raw;
  const chain =
    first?.class_name === 'InputLayer'
      ? raw
      : [{ class_name: 'InputLayer', config: { ...first?.config, name: 'input' } }, ...raw];
  const keys = chain.map((layer) => tensorKey(layerName(layer), 0));
  return {
    name,
    layers: chain.map((layer, i) => ({
      className: layer.class_name,
      name: layerName(layer),
      config: layer.config,
      calls: i === 0 ? [] : [[keys[i - 1]!]],
    })),
    inputs: keys.slice(0, 1),
    outputs: keys.slice(-1),
  };
}

/** [batch, height, width, channel] of an input layer; null where any size will do. */
export function batchShape(layer: KerasLayer): readonly (number | null)[] | null {
  const shape = layer.config.batch_input_shape ?? layer.config.batch_shape ?? layer.config.input_shape;
  return Array.isArray(shape) ? (shape as (number | null)[]) : null;
}

// -- typed looks into a configuration ----------------------------------------------------------------------------

export function numberIn(config: Config, key: string, fallback: number): number {
  const value = config[key];
  return typeof value === 'number' ? value : fallback;
}

/** `2` or `[2, 3]` */
export function pairIn(config: Config, key: string, fallback: readonly [number, number]): [number, number] {
  const value = config[key];
  if (typeof value === 'number') return [value, value];
  if (Array.isArray(value)) return [value[0] as number, (value[1] ?? value[0]) as number];
  return [...fallback];
}

/** `1`, `[1, 2]` or `[[top, bottom], [left, right]]` */
export function bordersIn(config: Config, key: string): [[number, number], [number, number]] {
  const value = config[key];
  const sides = Array.isArray(value) ? value : [value ?? 0, value ?? 0];
  const pair = (side: unknown): [number, number] =>
    Array.isArray(side) ? [side[0] as number, side[1] as number] : [side as number, side as number];
  return [pair(sides[0]), pair(sides[1])];
}
