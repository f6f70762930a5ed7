/** @file A vision network, whatever file it came from: named layers, and any of them as a pure tfjs function. */

import { UsageError, UserError } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import type * as tf from '../engine/functions/tfjs.js';
import type { WeightLookup, WeightSource } from '../engine/weights/weights.js';
import { formatLayer } from './layer-name.js';
import {
  ancestors,
  evaluate,
  graphShapes,
  type Request,
  type UsedParam,
  usedParams,
} from './layers/evaluate.js';
import type { LayerGraph } from './layers/graph.js';
import { channelCount, type Shape } from './layers/op.js';
import { type Field, receptiveField } from './layers/receptive-field.js';
import { lowestPoints } from './layers/rules/lift.js';
import type { RangeName } from './names.js';
import type { Preprocessing } from './preprocess.js';

export interface InputSpec {
  /** The size it was trained at or declares; others work as far as the layers allow. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Null when the file does not say. */
  readonly preprocessing: Preprocessing | null;
  /** Whether `preprocessing` is what networks with layers of such names are trained on, and no more. */
  readonly isGuess?: boolean;
  /** What networks in files of its kind are mostly trained on, where `preprocessing` is null; default: `imagenet`. */
  readonly usualRange?: RangeName;
}

export interface LayerInfo {
  readonly name: string;
  /** `conv`, `relu`, `Conv2D`, `MaxPool`: in the words of the file it came from. */
  readonly kind: string;
  readonly channels: number;
  /** [height, width] at the input's nominal size, other axes between batch and channel where it is no image; empty for a vector. */
  readonly size: readonly number[];
  /** Whether a class token stands beside the map of patches. */
  readonly hasClassToken?: true;
  /** The innermost PyTorch module that ends with it, where its file says: another name of it. */
  readonly module?: string;
}

/** One layer to compute; `channels` in the order wanted, all when left out. */
export interface Wanted {
  readonly layer: string;
  readonly channels?: readonly number[];
  /** What the layer's softmax reads, where it ends in one. */
  readonly beforeSoftmax?: boolean;
  /** The class token's values, [batch, channel], in place of the map of patches. */
  readonly classToken?: boolean;
}

export interface VisionNetworkOptions {
  readonly name: string;
  readonly graph: LayerGraph;
  readonly weights: WeightSource;
  readonly input: InputSpec;
  /** Layers of the file that cannot be computed, with the reason. */
  readonly unreachable?: ReadonlyMap<string, string>;
  /** The layers that the file names as outputs, those that cannot be computed included; default: the last layer. */
  readonly outputs?: readonly string[];
}

/** Operations that only move what an activation function gave. */
const moving: ReadonlySet<string> = new Set(['token map', 'reshape', 'flatten', 'squeeze', 'transpose']);

/** A vision network: its layers by name, and any of them as a function of pictures. */
export class VisionNetwork {
  readonly name: string;
  readonly input: InputSpec;
  readonly weights: WeightSource;
  /** In order of computation. */
  readonly layers: readonly LayerInfo[];
  /** Layers that the file has but that cannot be computed, with the reason. */
  readonly unreachable: ReadonlyMap<string, string>;
  readonly graph: LayerGraph;
  /** The layers that the file names as outputs. */
  readonly outputs: readonly string[];
  private readonly byName: ReadonlyMap<string, LayerInfo>;
  private readonly nodes: ReadonlyMap<string, number>;
  private readonly classTokens: ReadonlyMap<string, number | undefined>;

  constructor({ name, graph, weights, input, unreachable = new Map(), outputs }: VisionNetworkOptions) {
    this.name = name;
    this.graph = graph;
    this.weights = weights;
    this.input = input;
    this.unreachable = unreachable;
    const shapes = graphShapes(graph, [1, input.height, input.width, input.channels]);
    const describe = (shape: Shape): Pick<LayerInfo, 'channels' | 'size'> => ({
      channels: channelCount(shape),
      size: shape.slice(1, -1),
    });
    this.layers = graph.named.map(({ name: layer, kind, node, cls, module }) => ({
      name: layer,
      kind,
      ...describe(shapes.get(node)!),
      ...(cls !== undefined && { hasClassToken: true as const }),
      ...(module !== undefined && { module }),
    }));
    this.outputs = outputs ?? this.layers.slice(-1).map((layer) => layer.name);
    this.byName = new Map(this.layers.map((layer) => [layer.name, layer]));
    this.nodes = new Map(graph.named.map((layer) => [layer.name, layer.node]));
    this.classTokens = new Map(graph.named.map((layer) => [layer.name, layer.cls]));
  }

  /** Other names that `layer` understands, with the layers they mean. */
  get aliases(): ReadonlyMap<string, string> {
    return this.graph.aliases;
  }

  /**
   * The layer of that name or alias. Throws UsageError with the nearest names, UserError for a layer that the network has
   * but that cannot be computed.
   */
  layer(name: string): LayerInfo {
    const meant = this.byName.has(name) ? name : (this.aliases.get(name) ?? name);
    const layer = this.byName.get(meant);
    if (layer) return layer;
    const reason = this.unreachable.get(meant);
    if (reason !== undefined) throw new UserError(`layer "${name}" cannot be computed: ${reason}`);
    const hint = didYouMean(name, [...this.byName.keys(), ...this.aliases.keys()]);
    throw new UsageError(
      `${this.name} has no layer "${name}"${hint || `: \`superstim units ${this.name}\` lists its ${this.layers.length} layers`}`,
    );
  }

  /** The pixels of a picture of the nominal size that can change a layer at a position. Throws as `layer` does. */
  receptiveField(layer: string, position: { readonly row: number; readonly column: number }): Field {
    const { height, width, channels } = this.input;
    const node = this.nodes.get(this.layer(layer).name)!;
    return receptiveField(this.graph, node, [1, height, width, channels], position);
  }

  /**
   * The layer with the class scores: the output, where it has no positions.
   *
   * @throws UsageError when there is none, or when it could be several, UserError when it cannot be computed
   */
  get classLayer(): LayerInfo {
    const lost = this.outputs.find((output) => this.unreachable.has(output));
    const vectors = this.outputs
      .filter((output) => this.byName.has(output))
      .map((output) => this.layer(output))
      .filter(({ size }) => size.every((dim) => dim === 1));
    const [scores, ...more] = vectors;
    if (scores && more.length > 0) {
      const names = vectors.map((layer) => `"${layer.name}"`).join(', ');
      throw new UsageError(
        `${this.name} ends in several layers without positions, ${names}: name one of them, as in ${formatLayer(scores.name)}:0`,
      );
    }
    if (scores && scores.channels > 1) return scores;
    if (!scores && lost !== undefined) return this.layer(lost);
    throw new UsageError(`${this.name} does not end in class scores: name a layer and a channel instead`);
  }

  /**
   * Activations of the wanted layers, [batch, height, width, channel] or [batch, channel], only as deep as needed and
   * with only the wanted channels where the network allows.
   *
   * @param image - [batch, height, width, channel], already preprocessed
   * @throws UsageError for an unknown layer or channel, UserError for an image too small or of the wrong depth
   */
  forward(weights: WeightLookup, image: tf.Tensor4D, wanted: readonly Wanted[]): tf.Tensor[] {
    if (image.shape[3] !== this.input.channels) {
      throw new UserError(
        `${this.name} reads images of ${this.input.channels} channels, this one has ${image.shape[3]}`,
      );
    }
    return evaluate(this.graph, weights, image, this.requests(wanted));
  }

  /** The parameters that the wanted layers are computed with. Throws as `forward`. */
  parameters(wanted: readonly Wanted[]): UsedParam[] {
    const { height, width, channels } = this.input;
    return usedParams(this.graph, [1, height, width, channels], this.requests(wanted));
  }

  /** The same network with other weights of the same names and shapes. */
  withWeights(weights: WeightSource): VisionNetwork {
    const { name, graph, input, unreachable, outputs } = this;
    return new VisionNetwork({ name, graph, weights, input, unreachable, outputs });
  }

  /** The same network, of which another file says the range of its pictures. */
  withRange(preprocessing: Preprocessing): VisionNetwork {
    const { name, graph, weights, unreachable, outputs } = this;
    const { height, width, channels } = this.input;
    const input = { height, width, channels, preprocessing };
    return new VisionNetwork({ name, graph, weights, input, unreachable, outputs });
  }

  private requests(wanted: readonly Wanted[]): Request[] {
    return wanted.map(({ layer, channels, beforeSoftmax, classToken }) => {
      const info = this.layer(layer);
      const wrong = channels?.find((c) => !Number.isInteger(c) || c < 0 || c >= info.channels);
      if (wrong !== undefined) {
        throw new UsageError(
          `layer "${info.name}" of ${this.name} has channels 0 to ${info.channels - 1}, not ${wrong}`,
        );
      }
      const named = classToken ? this.classTokens.get(info.name) : this.nodes.get(info.name)!;
      if (named === undefined)
        throw new UsageError(`layer "${info.name}" of ${this.name} has no class token: leave the @cls out`);
      const node = beforeSoftmax ? this.softmaxInput(named) : named;
      return channels ? { node, channels } : { node };
    });
  }

  /** The shape of a layer's values for one picture of this height and width. Throws as `layer` does. */
  shapeAt(layer: string, [height, width]: readonly [number, number]): Shape {
    const node = this.nodes.get(this.layer(layer).name)!;
    const needed = ancestors(this.graph, [{ node }]);
    const shapes = graphShapes(this.graph, [1, height, width, this.input.channels], (each) =>
      needed.has(each),
    );
    return shapes.get(node)!;
  }

  /** Whether pictures of this height and width reach the layers: dense layers want the size of the training. */
  reads([height, width]: readonly [number, number], layers: readonly string[]): boolean {
    const requests = layers.map((layer) => ({ node: this.nodes.get(this.layer(layer).name)! }));
    const needed = ancestors(this.graph, requests);
    try {
      graphShapes(this.graph, [1, height, width, this.input.channels], (node) => needed.has(node));
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  }

  /** Whether a layer's values are probabilities, made by a softmax. Throws as `layer` does. */
  endsInSoftmax(layer: string): boolean {
    const node = this.nodes.get(this.layer(layer).name)!;
    return this.softmaxInput(node) !== node;
  }

  /** Whether one of the layers ends in an activation function with a dip below zero, such as GELU. */
  dips(layers: readonly string[]): boolean {
    return layers.some((layer) => {
      for (let at = this.nodes.get(this.layer(layer).name)!; ; ) {
        const { op, inputs } = this.graph.nodes[at]!;
        if (op.kind === 'activation') return lowestPoints[op.name] !== undefined;
        if (!moving.has(op.kind)) return false;
        at = inputs[0]!;
      }
    });
  }

  /** What the softmax reads that `node` gives, perhaps reshaped; `node` itself where there is none. */
  private softmaxInput(node: number): number {
    for (let at = node; ; ) {
      const { op, inputs } = this.graph.nodes[at]!;
      if (op.kind === 'softmax') return inputs[0]!;
      if (op.kind !== 'reshape' && op.kind !== 'flatten') return node;
      at = inputs[0]!;
    }
  }
}
