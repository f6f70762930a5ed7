/** @file A Keras model as TensorFlow.js keeps it (`model.json` of a LayersModel): layers keep their names. */

import { UserError } from '../../core/errors.js';
import { clipped } from '../../core/visible.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { GraphBuilder, naming } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { checkCount, limits } from '../limits.js';
import { VisionNetwork } from '../network.js';
import {
  batchShape,
  type KerasLayer,
  type KerasModel,
  type KerasTopology,
  parseKerasModel,
  type TensorKey,
  tensorKey,
} from './keras-config.js';
import type { LayerContext } from './keras-ops/context.js';
import { kerasRule } from './keras-ops/index.js';
import { inputRange, knownInput, USUAL_OF_TENSORFLOW } from './known-inputs.js';

const nested = new Set(['Functional', 'Model', 'Sequential']);

/**
 * Rebuilds a LayersModel. A layer that is not supported, or lacks a weight, makes what lies behind it unreachable.
 *
 * @throws UserError when no layer at all can be computed, or the input is no image
 */
export function kerasNetwork(topology: KerasTopology, weights: WeightSource, name?: string): VisionNetwork {
  const root = topology.model_config ?? topology;
  const model = parseKerasModel(root.class_name ?? 'Model', root.config);
  const names = new Set(model.layers.map((layer) => layer.name));
  const known = knownInput(names);

  const image = imageShape(model, known?.size ?? 224);
  const graph = new GraphBuilder(image);
  const version = Number.parseInt(topology.keras_version ?? '2', 10);
  if (model.inputs.length > 1)
    throw new UserError(`${model.name} has ${model.inputs.length} inputs: an image network has one`);
  const translation = new KerasTranslation(graph, weights, version);
  translation.run(model, new Map(model.inputs.map((key) => [key, { node: graph.input }])));
  const { unreachable } = translation;
  const built = graph.build();
  if (built.named.length === 0)
    throw new UserError([...unreachable.values()][0] ?? `${model.name} computes nothing from a picture`);

  const [height, width, channels] = image;
  const isInteger = model.layers.some(
    ({ className, config }) => className === 'InputLayer' && /int/.test(String(config.dtype ?? '')),
  );
  const range = inputRange({ graph: built, weights, channels, isInteger, known, isCertain: true });
  return new VisionNetwork({
    name: name ?? model.name,
    graph: built,
    weights,
    unreachable,
    outputs: model.outputs.map((key) => key.slice(0, key.lastIndexOf(' '))),
    input: { height, width, channels, usualRange: USUAL_OF_TENSORFLOW, ...range },
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
function declaredShape(model: KerasModel, depth = 0): readonly (number | null)[] | null {
  checkCount(depth, limits.models, 'models inside each other');
  const isInput = (layer: KerasLayer): boolean => tensorKey(layer.name, 0) === model.inputs[0];
  const ordered = [...model.layers].sort((a, b) => Number(isInput(b)) - Number(isInput(a)));
  for (const layer of ordered) {
    const shape = nested.has(layer.className)
      ? declaredShape(parseKerasModel(layer.className, layer.config), depth + 1)
      : batchShape(layer);
    if (shape) return shape;
  }
  return null;
}

/** The node of a layer's output, or why there is none. */
type Computed = { readonly node: number } | { readonly missing: string };

function nodeOf(computed: Computed): number {
  if ('node' in computed) return computed.node;
  throw new UserError(computed.missing);
}

/** Walks the layers in the order of what they read. */
class KerasTranslation {
  private readonly inner = new Map<KerasLayer, KerasModel>();
  private readonly weightNames: WeightNames;
  private translated = 0;
  /** Layers that cannot be computed, with the reason. */
  readonly unreachable = new Map<string, string>();

  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
    private readonly kerasVersion: number,
  ) {
    this.weightNames = new WeightNames(weights.names);
  }

  /**
   * Adds every layer of `model` that can be computed.
   *
   * @param known - the nodes of its inputs, or why they are missing
   * @param depth - how many models it is inside of
   * @returns the node of its first output, or why it is missing
   */
  run(model: KerasModel, known: Map<TensorKey, Computed>, depth = 0): Computed {
    checkCount(depth, limits.models, 'models inside each other');
    const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
    const called = (key: TensorKey): Called => {
      const separator = key.lastIndexOf(' ');
      const layer = byName.get(key.slice(0, separator));
      const call = Number(key.slice(separator + 1));
      const inputs = layer?.calls[call];
      if (layer && inputs) return { layer, call, inputs };
      throw new UserError(`the model's topology lacks call ${call} of "${clipped(key.slice(0, separator))}"`);
    };
    const compute = (wanted: TensorKey): Computed => {
      for (const [key, { layer, call, inputs }] of inOrder(wanted, known, called)) {
        const read = inputs.map((input) =>
          typeof input === 'string'
            ? known.get(input)!
            : { node: this.graph.add({ kind: 'constant', value: { shape: [1], data: [input] } }) },
        );
        known.set(key, this.computed(layer, call, read, depth));
      }
      return known.get(wanted)!;
    };
    for (const layer of model.layers) {
      for (const call of layer.calls.keys()) compute(tensorKey(layer.name, call));
    }
    return compute(model.outputs[0] ?? tensorKey(model.layers.at(-1)!.name, 0));
  }

  private computed(layer: KerasLayer, call: number, inputs: readonly Computed[], depth: number): Computed {
    checkCount(++this.translated, limits.nodes, 'layers');
    const label = call === 0 ? layer.name : `${layer.name}#${call}`;
    let result: Computed;
    try {
      result = nested.has(layer.className)
        ? this.model(layer, inputs, depth)
        : (inputs.find((input) => 'missing' in input) ?? {
            node: this.layer(layer, label, inputs.map(nodeOf)),
          });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      result = { missing: error.message };
    }
    if ('missing' in result) this.unreachable.set(label, result.missing);
    return result;
  }

  private layer({ className, name, config }: KerasLayer, label: string, inputs: readonly number[]): number {
    if (inputs.length === 0) throw new UserError(`the layer "${name}" reads nothing`);
    const rule = kerasRule(className);
    if (!rule) {
      throw new UserError(
        `the layer "${name}" is a ${clipped(className)}, which is not supported: export the model as a TFJS GraphModel or as ONNX instead`,
      );
    }
    const node = naming(
      () => `layer "${name}"`,
      () => rule(config, inputs, this.context(name)),
    );
    return this.graph.layer(label, node, className);
  }

  private model(layer: KerasLayer, inputs: readonly Computed[], depth: number): Computed {
    const inner = this.inner.get(layer) ?? parseKerasModel(layer.className, layer.config);
    this.inner.set(layer, inner);
    if (inner.inputs.length !== inputs.length) {
      throw new UserError(
        `the model "${layer.name}" has ${inner.inputs.length} inputs and is called on ${inputs.length}`,
      );
    }
    // Also of layers that nothing computes, so that the time stays in bounds.
    this.translated += inner.layers.length;
    checkCount(this.translated, limits.nodes, 'layers');
    return this.run(inner, new Map(inner.inputs.map((key, i) => [key, inputs[i]!])), depth + 1);
  }

  private context(layer: string): LayerContext {
    const find = (variable: string): string | undefined => this.weightNames.find(layer, variable);
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

interface Called {
  readonly layer: KerasLayer;
  readonly call: number;
  readonly inputs: readonly (TensorKey | number)[];
}

/** What must still be computed for `wanted`, each after what it reads. The caller adds each to `known`. */
function* inOrder(
  wanted: TensorKey,
  known: ReadonlyMap<TensorKey, Computed>,
  called: (key: TensorKey) => Called,
): Generator<[TensorKey, Called]> {
  const open = [wanted];
  const waiting = new Set<TensorKey>();
  while (open.length > 0) {
    const key = open.at(-1)!;
    if (known.has(key)) {
      open.pop();
      continue;
    }
    const call = called(key);
    const missing = call.inputs.filter(
      (input) => typeof input === 'string' && !known.has(input),
    ) as TensorKey[];
    if (missing.length === 0) {
      yield [key, call];
      open.pop();
      continue;
    }
    waiting.add(key);
    const circle = missing.find((input) => waiting.has(input));
    if (circle !== undefined)
      throw new UserError(`the model runs in a circle at "${circle.slice(0, circle.lastIndexOf(' '))}"`);
    for (const input of missing.reverse()) open.push(input);
  }
}

/** Finds `layer/variable`, however many scopes stand before it (`model/layer/variable`) or between (`layer/layer/variable`). */
class WeightNames {
  private readonly exact: ReadonlySet<string>;
  /** By scope, by variable: null where there are several. */
  private readonly scoped = new Map<string, Map<string, string | null>>();

  constructor(names: readonly string[]) {
    this.exact = new Set(names);
    for (const name of names) {
      const parts = name.replace(/:0$/, '').split('/');
      checkCount(parts.length, limits.scopes, `parts of the name "${clipped(name)}"`);
      const variable = parts.at(-1)!;
      for (const scope of new Set(parts)) {
        const variables = this.scoped.get(scope) ?? new Map<string, string | null>();
        variables.set(variable, variables.has(variable) ? null : name);
        this.scoped.set(scope, variables);
      }
    }
  }

  find(layer: string, variable: string): string | undefined {
    const exact = `${layer}/${variable}`;
    if (this.exact.has(exact)) return exact;
    return this.scoped.get(layer)?.get(variable) ?? undefined;
  }
}
