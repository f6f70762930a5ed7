/** @file A Keras model as TensorFlow.js keeps it (`model.json` of a LayersModel): layers keep their names. */

import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { GraphBuilder, naming } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { VisionNetwork } from '../network.js';
import { range } from '../preprocess.js';
import {
  batchShape,
  type Config,
  type KerasLayer,
  type KerasModel,
  parseKerasModel,
  type TensorKey,
  tensorKey,
} from './keras-config.js';
import type { LayerContext } from './keras-ops/context.js';
import { kerasLayers } from './keras-ops/index.js';
import { knownInput } from './known-inputs.js';

/** `modelTopology` of a LayersModel. */
export interface KerasTopology {
  readonly keras_version?: string;
  readonly model_config?: { readonly class_name: string; readonly config: Config };
  readonly class_name?: string;
  readonly config?: Config;
}

const nested = new Set(['Functional', 'Model', 'Sequential']);

/**
 * Rebuilds a LayersModel. Throws UserError for a layer it does not know, a missing weight, or an input that is no image.
 */
export function kerasNetwork(topology: KerasTopology, weights: WeightSource, name?: string): VisionNetwork {
  const root = topology.model_config ?? topology;
  const model = parseKerasModel(root.class_name ?? 'Model', root.config ?? {});
  const names = new Set(model.layers.map((layer) => layer.name));
  const known = knownInput(names);

  const image = imageShape(model, known?.size ?? 224);
  const graph = new GraphBuilder(image);
  const version = Number.parseInt(topology.keras_version ?? '2', 10);
  if (model.inputs.length > 1)
    throw new UserError(`${model.name} has ${model.inputs.length} inputs: an image network has one`);
  new KerasTranslation(graph, weights, version).run(
    model,
    new Map(model.inputs.map((key) => [key, graph.input])),
  );

  const ownScaling = model.layers.some(
    ({ className }) => className === 'Rescaling' || className === 'Normalization',
  );
  const preprocessing = ownScaling ? range(0, 255, image[2]) : (known?.preprocessing ?? null);
  return new VisionNetwork({
    name: name ?? model.name,
    graph: graph.build(),
    weights,
    input: { height: image[0], width: image[1], channels: image[2], preprocessing },
  });
}

/** [height, width, channels]; `fallback` where any size will do. */
function imageShape(model: KerasModel, fallback: number): [number, number, number] {
  const shape = declaredShape(model);
  if (shape?.length !== 4 || !shape[3]) {
    throw new UserError(
      `${model.name} does not read images [batch, height, width, channel]: its input is [${shape ?? 'unknown'}]`,
    );
  }
  return [shape[1] ?? fallback, shape[2] ?? fallback, shape[3]];
}

/** What the input layer says, or the first layer that says something: a Sequential may start with a whole model. */
function declaredShape(model: KerasModel): readonly (number | null)[] | null {
  const isInput = (layer: KerasLayer): boolean => tensorKey(layer.name, 0) === model.inputs[0];
  const ordered = [...model.layers].sort((a, b) => Number(isInput(b)) - Number(isInput(a)));
  for (const layer of ordered) {
    const shape = nested.has(layer.className)
      ? declaredShape(parseKerasModel(layer.className, layer.config))
      : batchShape(layer);
    if (shape) return shape;
  }
  return null;
}

/** Walks the layers in the order of what they read. */
class KerasTranslation {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
    private readonly kerasVersion: number,
  ) {}

  /** Adds every layer of `model` that its outputs or any layer need; returns the node of its first output. */
  run(model: KerasModel, known: Map<TensorKey, number>): number {
    const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
    const compute = (key: TensorKey | number): number => {
      if (typeof key === 'number') {
        return this.graph.add({ kind: 'constant', value: { shape: [1], data: [key] } });
      }
      const found = known.get(key);
      if (found !== undefined) return found;
      const separator = key.lastIndexOf(' ');
      const layer = byName.get(key.slice(0, separator));
      const call = Number(key.slice(separator + 1));
      const inputs = layer?.calls[call];
      if (!layer || !inputs)
        throw new UserError(`the model's topology lacks call ${call} of "${key.slice(0, separator)}"`);
      const node = this.layer(layer, call, inputs.map(compute));
      known.set(key, node);
      return node;
    };
    for (const layer of model.layers) {
      for (const call of layer.calls.keys()) compute(tensorKey(layer.name, call));
    }
    return compute(model.outputs[0] ?? tensorKey(model.layers.at(-1)!.name, 0));
  }

  private layer({ className, name, config }: KerasLayer, call: number, inputs: number[]): number {
    if (nested.has(className)) {
      const inner = parseKerasModel(className, config);
      return this.run(inner, new Map(inner.inputs.map((key, i) => [key, inputs[i]!])));
    }
    const rule = kerasLayers[className];
    if (!rule) {
      throw new UserError(
        `the layer "${name}" is a ${className}, which is not supported: export the model as a TFJS GraphModel or as ONNX instead`,
      );
    }
    const node = naming(`layer "${name}"`, () => rule(config, inputs, this.context(name)));
    return this.graph.layer(call === 0 ? name : `${name}#${call}`, node, className);
  }

  private context(layer: string): LayerContext {
    const find = (variable: string): string | undefined => findWeight(this.weights.names, layer, variable);
    return {
      graph: this.graph,
      layer,
      kerasVersion: this.kerasVersion,
      hasWeight: (variable) => find(variable) !== undefined,
      weight: (variable) => {
        const found = find(variable);
        if (found === undefined) throw new UserError(`the model's weights have no "${layer}/${variable}"`);
        return param(this.weights, found);
      },
    };
  }
}

/** `layer/variable`, however many scopes stand before it (`model/layer/variable`) or between (`layer/layer/variable`). */
function findWeight(names: readonly string[], layer: string, variable: string): string | undefined {
  const exact = `${layer}/${variable}`;
  if (names.includes(exact)) return exact;
  const matches = names.filter((name) => {
    const parts = name.replace(/:0$/, '').split('/');
    return parts.at(-1) === variable && parts.includes(layer);
  });
  return matches.length === 1 ? matches[0] : undefined;
}
