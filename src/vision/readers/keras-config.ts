/** @file The topology of a Keras model as Keras 2, tf.keras and Keras 3 write it, brought to one form. */
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { limits } from '../limits.js';
import { checked, nameSchema } from './json-file.js';

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

const configSchema = z.record(z.string(), z.unknown());

const layerSchema = z.object({
  class_name: nameSchema,
  name: nameSchema.nullish(),
  config: configSchema.and(z.object({ name: nameSchema.nullish() })),
  inbound_nodes: z.array(z.unknown()).max(limits.nodes).nullish(),
});

type RawLayer = z.infer<typeof layerSchema>;

/** `config` of a model; that of a Sequential is once a list of layers alone. */
const modelSchema = z.object({
  name: nameSchema.nullish(),
  layers: z.array(layerSchema).max(limits.nodes),
  input_layers: z.unknown().optional(),
  output_layers: z.unknown().optional(),
});

/** `modelTopology` of a LayersModel. */
export const kerasTopologySchema = z.object({
  keras_version: nameSchema.nullish(),
  model_config: z.object({ class_name: nameSchema, config: z.unknown().optional() }).nullish(),
  class_name: nameSchema.nullish(),
  config: z.unknown().optional(),
});
export type KerasTopology = z.infer<typeof kerasTopologySchema>;

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

/** Reads `class_name` and `config` of a Functional or Sequential model. Throws UserError when it is none. */
export function parseKerasModel(className: string, config: unknown): KerasModel {
  const layers = Array.isArray(config) ? config : (config as { layers?: unknown } | null | undefined)?.layers;
  if (!Array.isArray(layers) || layers.length === 0)
    throw new UserError('this Keras model lists no layers: export it again as a LayersModel');
  const model = checked(modelSchema, Array.isArray(config) ? { layers } : config, 'the Keras model');
  const raw = model.layers;
  const layerName = (layer: RawLayer): string => layer.name ?? layer.config.name ?? '';
  const name = model.name ?? 'model';
  if (className !== 'Sequential') {
    return {
      name,
      layers: raw.map((layer) => ({
        className: layer.class_name,
        name: layerName(layer),
        config: layer.config,
        calls: (layer.inbound_nodes ?? []).map(references),
      })),
      inputs: endpoints(model.input_layers),
      outputs: endpoints(model.output_layers),
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

/** [batch, height, width, channel] of an input layer, null where any size will do; null when it says nothing. */
export function batchShape(layer: KerasLayer): readonly (number | null)[] | null {
  const shape = layer.config.batch_input_shape ?? layer.config.batch_shape ?? layer.config.input_shape;
  return Array.isArray(shape) ? checked(batchShapeSchema, shape, `the input of "${layer.name}"`) : null;
}

const batchShapeSchema = z.array(z.int().positive().nullable()).max(limits.axes);

// -- typed looks into a configuration; each throws UserError for something of another type -----------------------------

function number(value: unknown, key: string): number {
  if (typeof value === 'number') return value;
  throw new UserError(`its setting "${key}" is no number`);
}

export function numberIn(config: Config, key: string, fallback: number): number {
  const value = config[key] ?? fallback;
  return number(value, key);
}

/** `2` or `[2, 3]` */
export function pairIn(config: Config, key: string, fallback: readonly [number, number]): [number, number] {
  const value = config[key] ?? fallback;
  const [first, second] = Array.isArray(value) ? value : [value];
  return [number(first, key), number(second ?? first, key)];
}

/** `1`, `[1, 2]` or `[[top, bottom], [left, right]]` */
export function bordersIn(config: Config, key: string): [[number, number], [number, number]] {
  const value = config[key] ?? 0;
  const [rows, columns] = Array.isArray(value) ? value : [value, value];
  const pair = (side: unknown): [number, number] => {
    const [before, after] = Array.isArray(side) ? side : [side, side];
    return [number(before, key), number(after, key)];
  };
  return [pair(rows), pair(columns)];
}

/** A number, or numbers in lists. */
export function numbersIn(config: Config, key: string, fallback: readonly number[] = []): number[] {
  const value = config[key] ?? fallback;
  return (Array.isArray(value) ? value.flat(4) : [value]).map((each) => number(each, key));
}
