/** @file The parameters a transformer is made of: their names and shapes. */
import { type ExpertsSpec, expertsOf, type TransformerSpec } from './spec.js';

/** The full name of a layer's module: `module(spec, 3, 'mlp.up_proj')` is `model.layers.3.mlp.up_proj`. */
export function layerModule(spec: TransformerSpec, layer: number, module: string): string {
  const { prefix, layers } = spec.modules;
  return `${prefix}${layers}.${layer}.${module}`;
}

/** The full name of a module outside the layers. */
export function bodyModule(
  spec: TransformerSpec,
  module: 'tokenEmbedding' | 'embeddingNorm' | 'positionEmbedding' | 'finalNorm',
): string {
  return `${spec.modules.prefix}${spec.modules[module]}`;
}

/** The module that turns the final stream into logits: the token embedding where the two are tied. */
export function unembeddingModule(spec: TransformerSpec): string {
  return spec.tiedEmbeddings ? bodyModule(spec, 'tokenEmbedding') : spec.modules.unembedding;
}

/** Its own also where the matrix is that of the token embedding. */
export const unembeddingBias = ({ modules }: TransformerSpec): string => `${modules.unembedding}.bias`;

/** Every parameter of a network, with its shape as stored. */
export function parameterShapes(spec: TransformerSpec): Map<string, readonly number[]> {
  const { modules, positions, vocab, dModel } = spec;
  const shapes = new Map<string, readonly number[]>();
  const add = (all: Shapes) => {
    for (const [name, shape] of all) shapes.set(name, shape);
  };
  add([[`${bodyModule(spec, 'tokenEmbedding')}.weight`, [vocab, dModel]]]);
  if (modules.embeddingNorm) add(normShapes(spec, bodyModule(spec, 'embeddingNorm'), dModel));
  if (positions.kind === 'learned') {
    const rows = spec.context + positions.offset;
    add([[`${bodyModule(spec, 'positionEmbedding')}.weight`, [rows, dModel]]]);
  }
  for (let layer = 0; layer < spec.layers; layer++)
    add(layerShapes(spec, layer).map(([name, shape]) => [layerModule(spec, layer, name), shape]));
  if (modules.finalNorm) add(normShapes(spec, bodyModule(spec, 'finalNorm'), dModel));
  const unembedding = unembeddingModule(spec);
  add([[`${unembedding}.weight`, [vocab, dModel]]]);
  if (spec.biases.unembedding) add([[unembeddingBias(spec), [vocab]]]);
  return shapes;
}

type Shapes = (readonly [name: string, shape: readonly number[]])[];

function layerShapes(spec: TransformerSpec, layer: number): Shapes {
  const { dModel, dMlp, dHead, biases, heads, kvHeads } = spec;
  const { layer: names, matrices } = spec.modules;
  const queries = heads * dHead;
  const keys = kvHeads * dHead;
  const linear = (module: string | undefined, inputs: number, outputs: number, bias: boolean): Shapes =>
    module === undefined
      ? []
      : [
          [`${module}.weight`, matrices === 'in,out' ? [inputs, outputs] : [outputs, inputs]],
          ...(bias ? [[`${module}.bias`, [outputs]] as const] : []),
        ];
  const norm = (module: string | undefined, size: number): Shapes =>
    module === undefined ? [] : normShapes(spec, module, size);
  const { attention } = names;
  const experts = expertsOf(spec, layer);
  /** The norm of the queries or keys of `count` heads. */
  const headNorm = (module: string | undefined, count: number): Shapes => {
    if (module === undefined || spec.qkNorm !== 'each head')
      return norm(module, spec.qkNorm === 'all heads' ? count * dHead : dHead);
    return Array.from({ length: count }, (_, head) => [`${module}.norms.${head}.weight`, [dHead]]);
  };
  return [
    ...norm(names.attentionNorm, dModel),
    ...(attention.kind === 'fused'
      ? linear(attention.queryKeyValue, dModel, queries + 2 * keys, biases.qkv)
      : [
          ...linear(attention.query, dModel, queries, biases.qkv),
          ...linear(attention.key, dModel, keys, biases.qkv),
          ...linear(attention.value, dModel, keys, biases.qkv),
        ]),
    ...headNorm(names.queryNorm, heads),
    ...headNorm(names.keyNorm, kvHeads),
    ...linear(names.output, queries, dModel, biases.output),
    ...(names.sinks ? [[names.sinks, [heads]] as const] : []),
    ...norm(names.attentionPostNorm, dModel),
    ...norm(names.attentionSumNorm, dModel),
    ...norm(names.mlpNorm === names.attentionNorm ? undefined : names.mlpNorm, dModel),
    ...(experts
      ? expertShapes(spec, experts)
      : [
          ...linear(names.gate, dModel, dMlp, biases.mlp),
          ...linear(names.gateUp, dModel, 2 * dMlp, biases.mlp),
          ...linear(names.up, dModel, dMlp, biases.mlp),
          ...linear(names.down, dMlp, dModel, biases.mlp),
        ]),
    ...norm(names.mlpPostNorm, dModel),
    ...norm(names.mlpSumNorm, dModel),
  ];
}

/** The arrays of all experts are rows of neurons, `[expert, neuron, dModel]`. */
function expertShapes({ dModel }: TransformerSpec, experts: ExpertsSpec): Shapes {
  const { count, neurons, router, module, biases } = experts;
  const parts = ['gate_proj', 'up_proj', 'down_proj'];
  return [
    [`${router}.weight`, [count, dModel]],
    ...parts.map((part) => [`${module}.${part}`, [count, neurons, dModel]] as const),
    ...(biases
      ? [
          [`${router}.bias`, [count]] as const,
          ...parts.map(
            (part) => [`${module}.${part}_bias`, [count, part === 'down_proj' ? dModel : neurons]] as const,
          ),
        ]
      : []),
  ];
}

function normShapes(spec: TransformerSpec, module: string, size: number): Shapes {
  if (spec.norm.bare) return [];
  return [
    [`${module}.weight`, [size]],
    ...(spec.norm.kind === 'layer' ? [[`${module}.bias`, [size]] as const] : []),
  ];
}
