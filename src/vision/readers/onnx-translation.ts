/** @file Graphs of an .onnx file: its own, those in attributes of nodes, and the bodies of its functions. */
import { UserError } from '../../core/errors.js';
import { clipped } from '../../core/visible.js';
import type { OnnxFunction, OnnxGraph, OnnxNode, OnnxTensor } from '../../engine/compiler/onnx-proto.js';
import { checkCount, limits } from '../limits.js';
import { type ForeignNode, importNodes } from './foreign-graph.js';
import { addHeadsLayer } from './head-layers.js';
import type { Importer } from './importer.js';
import { modulePath } from './onnx-names.js';
import { OnnxCall, type OnnxRule } from './onnx-ops/context.js';
import { onnxRule } from './onnx-ops/index.js';
import type { ForeignValue } from './values.js';

export const isOnnxDomain = (domain: string | undefined): boolean => !domain || domain === 'ai.onnx';

/** Translates graphs: the file's own, those in attributes of its nodes, and the bodies of its functions. */
export class OnnxTranslation {
  /** Layers that cannot be computed, with the reason. */
  readonly unreachable = new Map<string, string>();
  private readonly functions: ReadonlyMap<string, OnnxFunction>;
  private count = 0;
  private depth = 0;

  constructor(
    private readonly importer: Importer,
    functions: readonly OnnxFunction[],
    private readonly opset: number,
    private readonly file: string,
    private readonly constant: (name: string, tensor: OnnxTensor) => ForeignValue,
  ) {
    this.functions = new Map(functions.map((each) => [`${each.domain ?? ''} ${each.name}`, each]));
  }

  /**
   * Adds what the graph computes to `values`, which have what it reads.
   *
   * @param scope - the name of the node that it stands in, with a slash; empty for the file's own
   */
  run(
    { node: nodes = [], initializer = [] }: OnnxGraph,
    values: Map<string, ForeignValue>,
    scope = '',
  ): ForeignNode[] {
    for (const { name = '', ...tensor } of initializer)
      values.set(name, this.constant(scope + name, { name, ...tensor }));
    this.count += nodes.length;
    checkCount(this.count, limits.nodes, `nodes in ${this.file}`);
    const foreign = nodes.map((node): ForeignNode => {
      const { input = [], output = [] } = node;
      const label = scope + (node.name || output[0] || '');
      return {
        label,
        kind: node.opType ?? '',
        inputs: input,
        outputs: output,
        translate: (inputs) => this.translate(node, label, inputs, values),
      };
    });
    const lost = importNodes(this.importer, foreign, values, this.file, scope !== '');
    for (const [label, reason] of lost) this.unreachable.set(label, reason);
    return foreign;
  }

  private translate(
    node: OnnxNode,
    label: string,
    inputs: readonly (ForeignValue | undefined)[],
    values: ReadonlyMap<string, ForeignValue>,
  ): ForeignValue | readonly ForeignValue[] {
    const body = this.functions.get(`${node.domain ?? ''} ${node.opType}`);
    if (body) return this.called(body, node, label, inputs);
    const constant = (tensor: OnnxTensor): ForeignValue => this.constant(label, tensor);
    const inner = (graph: OnnxGraph): readonly ForeignValue[] =>
      this.inner(
        graph,
        new Map(values),
        label,
        (graph.output ?? []).map(({ name = '' }) => name),
      );
    if (node.opType === 'MatMul' && inputs[0] && inputs[1]) {
      const parent = modulePath(node).replace(/\.?[^.]*$/, '');
      addHeadsLayer(this.importer, inputs[0], inputs[1], `${parent || label}.heads`);
    }
    return ruleOf(node)(new OnnxCall(this.importer, node, inputs, this.opset, constant, inner));
  }

  /** The outputs of a function of the file. */
  private called(
    body: OnnxFunction,
    { attribute: given = [] }: OnnxNode,
    label: string,
    inputs: readonly (ForeignValue | undefined)[],
  ): readonly ForeignValue[] {
    const values = new Map<string, ForeignValue>();
    (body.input ?? []).forEach((name, i) => {
      const value = inputs[i];
      if (value) values.set(name, value);
    });
    const node = (body.node ?? []).map((each) => ({
      ...each,
      attribute: (each.attribute ?? []).flatMap((own) => {
        if (!own.refAttrName) return [own];
        const found = given.find(({ name }) => name === own.refAttrName);
        return found ? [{ ...found, ...(own.name !== undefined && { name: own.name }) }] : [];
      }),
    }));
    return this.inner({ node }, values, label, body.output ?? []);
  }

  private inner(
    graph: OnnxGraph,
    values: Map<string, ForeignValue>,
    label: string,
    outputs: readonly string[],
  ): readonly ForeignValue[] {
    checkCount(++this.depth, limits.models, 'graphs inside each other');
    const scope = `${label}/`;
    try {
      this.run(graph, values, scope);
    } finally {
      this.depth--;
    }
    return outputs.map((name) => {
      const value = values.get(name);
      if (value) return value;
      const reasons = [...this.unreachable].filter(([layer]) => layer.startsWith(scope));
      throw new UserError(reasons.at(-1)?.[1] ?? `does not compute its output "${name}"`);
    });
  }
}

function ruleOf(node: OnnxNode): OnnxRule {
  const foreign = !isOnnxDomain(node.domain) && node.domain !== 'com.microsoft';
  const rule = foreign ? undefined : onnxRule(node.opType ?? '');
  if (rule) return rule;
  const operator = clipped(foreign ? `${node.domain}.${node.opType}` : (node.opType ?? ''));
  throw new UserError(
    `the operator ${operator} is not supported: export the network only up to this node, or without ${operator}`,
  );
}
