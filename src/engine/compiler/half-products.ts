/**
 * @file Products by weights and convolutions in half precision, for GPUs that compute in it: their matrices and filters take half
 * of the memory and of its bandwidth. What lies between products stays in float32 (mixed precision: Micikevicius et al.,
 * arXiv 1710.03740).
 */
import type { Graph, Traced, Value } from './graph.js';
import { opTable } from './op-table.js';
import { inRange, isNormalized, largest } from './quantize.js';
import { dependsOnWeightsAlone } from './reachable.js';
import { rewrite } from './rewrite.js';

/**
 * Puts a product in half precision in the place of every product with what depends on weights alone. What is multiplied is
 * brought to a largest magnitude of one first, unless a norm made it: gradients would vanish below 6e-8, activations end at 65504.
 */
export function halveProducts(traced: Traced): Traced {
  const { graph, outputs } = traced;
  const fixed = dependsOnWeightsAlone(Object.values(outputs));
  return rewrite(traced, (node, inputs) => {
    const { op, attributes, outputs } = node;
    const isProduct = opTable[op].inHalves && !attributes.transA;
    if (!isProduct || !fixed.has(node.inputs[1]!) || fixed.has(node.inputs[0]!)) return undefined;
    const [x, weights, bias] = inputs as [Value, Value, Value | undefined];
    const { shape } = outputs[0]!;
    const multiply = (rows: Value) => {
      const halves = [graph.cast(rows, 'float16'), graph.cast(weights, 'float16')];
      return graph.cast(graph.node(op, halves, shape, 'float16', attributes), 'float32');
    };
    const range = op === 'Conv' ? ofPictures : ofRows;
    const product = isNormalized(x) ? multiply(x) : inRange(graph, x, range(graph, x), multiply);
    if (!bias) return [product];
    const perOutput = op === 'Conv' ? graph.reshape(bias, [shape[1]!, 1, 1]) : bias;
    return [graph.elementwise('Add', [product, perOutput])];
  });
}

/** Largest magnitude of each row, [..., rows, 1]. */
const ofRows = (graph: Graph, x: Value): Value => largest(graph, x, x.shape.length - 1);

/** Largest magnitude of each picture, [batch, 1, 1, 1]: of its channels first, side by side. */
const ofPictures = (graph: Graph, x: Value): Value => largest(graph, largest(graph, x, 2, 3), 1);
