/** @file The parameters a transformer is made of: their names and shapes, and whether a file has them. */

import { UserError } from '../../core/errors.js';
import { sameShape } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { families } from './families.js';
import type { ModuleNames } from './module-names.js';
import type { TransformerSpec } from './spec.js';

/** The full name of a layer's module: `module(spec, 3, 'mlp.up_proj')` is `model.layers.3.mlp.up_proj`. */
export function layerModule(spec: TransformerSpec, layer: number, module: string): string {
  const { prefix, layers } = families[spec.family].modules;
  return `${prefix}${layers}.${layer}.${module}`;
}

/** The full name of a module outside the layers. */
export function bodyModule(
  spec: TransformerSpec,
  module: 'tokenEmbedding' | 'positionEmbedding' | 'finalNorm',
): string {
  const { modules } = families[spec.family];
  return `${modules.prefix}${modules[module]}`;
}

/** The module that turns the final stream into logits: the token embedding where the two are tied. */
export function unembeddingModule(spec: TransformerSpec): string {
  return spec.tiedEmbeddings ? bodyModule(spec, 'tokenEmbedding') : families[spec.family].modules.unembedding;
}

/** Every parameter of a network, with its shape as stored. */
export function parameterShapes(spec: TransformerSpec): Map<string, readonly number[]> {
  const { modules } = families[spec.family];
  const shapes = new Map<string, readonly number[]>();
  shapes.set(`${bodyModule(spec, 'tokenEmbedding')}.weight`, [spec.vocab, spec.dModel]);
  if (spec.positions.kind === 'learned')
    shapes.set(`${bodyModule(spec, 'positionEmbedding')}.weight`, [spec.context, spec.dModel]);
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const [name, shape] of layerShapes(spec, modules))
      shapes.set(`${layerModule(spec, layer, name)}`, shape);
  }
  for (const [name, shape] of normShapes(spec, bodyModule(spec, 'finalNorm'), spec.dModel))
    shapes.set(name, shape);
  shapes.set(`${unembeddingModule(spec)}.weight`, [spec.vocab, spec.dModel]);
  return shapes;
}

type Shapes = (readonly [name: string, shape: readonly number[]])[];

function layerShapes(spec: TransformerSpec, { layer: names, matrices }: ModuleNames): Shapes {
  const { dModel, dMlp, dHead, biases } = spec;
  const queries = spec.heads * dHead;
  const keys = spec.kvHeads * dHead;
  const linear = (module: string, inputs: number, outputs: number, bias: boolean): Shapes => [
    [`${module}.weight`, matrices === 'in,out' ? [inputs, outputs] : [outputs, inputs]],
    ...(bias ? [[`${module}.bias`, [outputs]] as const] : []),
  ];
  const { attention } = names;
  return [
    ...normShapes(spec, names.attentionNorm, dModel),
    ...(attention.kind === 'fused'
      ? linear(attention.queryKeyValue, dModel, queries + 2 * keys, biases.qkv)
      : [
          ...linear(attention.query, dModel, queries, biases.qkv),
          ...linear(attention.key, dModel, keys, biases.qkv),
          ...linear(attention.value, dModel, keys, biases.qkv),
        ]),
    ...(names.queryNorm ? ([[`${names.queryNorm}.weight`, [dHead]]] as const) : []),
    ...(names.keyNorm ? ([[`${names.keyNorm}.weight`, [dHead]]] as const) : []),
    ...linear(names.output, queries, dModel, biases.output),
    ...normShapes(spec, names.mlpNorm, dModel),
    ...(names.gate ? linear(names.gate, dModel, dMlp, biases.mlp) : []),
    ...linear(names.up, dModel, dMlp, biases.mlp),
    ...linear(names.down, dMlp, dModel, biases.mlp),
  ];
}

function normShapes(spec: TransformerSpec, module: string, size: number): Shapes {
  return [
    [`${module}.weight`, [size]],
    ...(spec.norm.kind === 'layer' ? [[`${module}.bias`, [size]] as const] : []),
  ];
}

/**
 * A file's weights under the names of `parameterShapes`, all there and of the right shape. A file saved from a
 * model without its head lacks the prefix of the names; both are read. Looks at shapes only.
 *
 * @param where - the model folder, as complaints call it
 * @throws UserError that names the first weight that is missing, of another shape, or of a layer too many
 */
export function matchWeights(spec: TransformerSpec, source: WeightSource, where: string): WeightSource {
  const { prefix, layers } = families[spec.family].modules;
  const stored = new Set(source.names);
  const disagree = (how: string) =>
    new UserError(
      `config.json and the weights in ${where} disagree: ${how}; take both files from the same model`,
    );
  const bare = !stored.has(`${bodyModule(spec, 'tokenEmbedding')}.weight`);
  const fileName = (name: string) => (bare && name.startsWith(prefix) ? name.slice(prefix.length) : name);

  const shapes = parameterShapes(spec);
  for (const [name, shape] of shapes) {
    const there = fileName(name);
    if (!stored.has(there)) throw disagree(`there is no "${name}" of shape [${shape.join(', ')}]`);
    const actual = source.shape(there);
    if (!sameShape(actual, shape))
      throw disagree(`"${there}" should be of shape [${shape.join(', ')}] but is [${actual.join(', ')}]`);
  }
  const beyond = source.names.find((name) => {
    const [start, layer] = name.slice(name.startsWith(prefix) ? prefix.length : 0).split('.');
    return start === layers && Number(layer) >= spec.layers;
  });
  if (beyond !== undefined) throw disagree(`there is "${beyond}" but only ${spec.layers} layers`);
  return {
    names: [...shapes.keys()],
    shape: (name) => source.shape(fileName(name)),
    read: (name) => source.read(fileName(name)),
  };
}
