/** @file A network as a list of operations in order of computation, and the builder that readers write it with. */
import { UserError } from '../../core/errors.js';
import { checkArray, checkCount, limits } from '../limits.js';
import type { Op, Shape } from './op.js';
import { ruleOf } from './rules/index.js';

export interface LayerNode {
  readonly op: Op;
  /** Indices of earlier nodes. */
  readonly inputs: readonly number[];
}

/** A node a user can name. */
export interface NamedNode {
  readonly name: string;
  readonly node: number;
  /** What the model's own files call this kind of layer. */
  readonly kind: string;
  /** Where `node` has the values of patches: the class token's, [batch, channel]. */
  readonly cls?: number;
  /** The innermost PyTorch module that ends with it, by which it can be named too. */
  readonly module?: string;
}

/** Node 0 is the picture. */
export interface LayerGraph {
  readonly nodes: readonly LayerNode[];
  /** In order of computation. */
  readonly named: readonly NamedNode[];
  /** Other names of the same nodes. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** `node 12` or the name a user knows it by. */
export function nodeLabel(graph: LayerGraph, node: number): string {
  const named = graph.named.find((layer) => layer.node >= node);
  return named
    ? named.node === node
      ? `layer "${named.name}"`
      : `what layer "${named.name}" reads`
    : `node ${node}`;
}

/** Runs `compute`; a UserError it throws gets the layer's name in front. */
export function naming<T>(label: () => string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${label()}: ${error.message}`);
    throw error;
  }
}

/** Builds a graph front to back; each addition is checked against the shapes of a nominal picture (batch 1). */
export class GraphBuilder {
  private readonly nodes: LayerNode[] = [];
  private readonly shapes: Shape[] = [];
  /** Whether each node depends on the picture. */
  private readonly seeing: boolean[] = [];
  private readonly named: NamedNode[] = [];
  private readonly names = new Set<string>();
  private readonly aliases = new Map<string, string>();
  /** By layer, its innermost module. */
  private readonly modules = new Map<string, string>();
  /** The picture. */
  readonly input: number;

  /** @param image - the nominal picture: height, width, channels */
  constructor(image: readonly [number, number, number]) {
    checkArray(image);
    checkCount(image[2], limits.pictureChannels, 'channels of a picture');
    this.input = this.push({ kind: 'input' }, [], [1, ...image]);
  }

  /** Shape of a node's output for the nominal picture. */
  shape(node: number): Shape {
    return this.shapes[node]!;
  }

  /** Whether a node depends on the picture, and not on weights alone. */
  sees(node: number): boolean {
    return this.seeing[node]!;
  }

  op(node: number): LayerNode {
    return this.nodes[node]!;
  }

  /** Adds an operation and returns its node. Throws UserError when shapes are impossible or over the limits. */
  add(op: Op, ...inputs: readonly number[]): number {
    const shape = ruleOf(op).shape(
      op,
      inputs.map((node) => this.shape(node)),
    );
    checkArray(shape);
    return this.push(op, inputs, shape);
  }

  /** Makes `node` known to users as `name`. The first of two layers of one name keeps it. */
  layer(name: string, node: number, kind: string = this.nodes[node]!.op.kind, cls?: number): number {
    if (!this.names.has(name)) this.named.push({ name, node, kind, ...(cls !== undefined && { cls }) });
    this.names.add(name);
    return node;
  }

  hasLayer(name: string): boolean {
    return this.names.has(name);
  }

  /** Lets users call a layer something else as well; an existing layer's name is left alone. */
  alias(alias: string, name: string): void {
    if (!this.names.has(alias) && !this.aliases.has(alias)) this.aliases.set(alias, name);
  }

  /** An alias that is a PyTorch module; inner ones come before outer ones. */
  module(module: string, name: string): void {
    this.alias(module, name);
    const isItsName = this.aliases.get(module) === name;
    if (isItsName && !this.modules.has(name)) this.modules.set(name, module);
  }

  build(): LayerGraph {
    const named = this.named
      .map((layer, order) => ({ layer, order }))
      .sort((a, b) => a.layer.node - b.layer.node || a.order - b.order)
      .map(({ layer }) => {
        const module = this.modules.get(layer.name);
        return { ...layer, ...(module !== undefined && { module }) };
      });
    return { nodes: this.nodes, named, aliases: this.aliases };
  }

  private push(op: Op, inputs: readonly number[], shape: Shape): number {
    checkCount(this.nodes.length + 1, limits.nodes, 'operations');
    this.nodes.push({ op, inputs });
    this.shapes.push(shape);
    this.seeing.push(op.kind === 'input' || inputs.some((input) => this.seeing[input]));
    return this.nodes.length - 1;
  }
}
