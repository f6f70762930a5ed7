/**
 * @file The node of a product that goes by blocks of a matrix, as ONNX has it: a `Scan`, whose body computes the product of one
 * block. What `Scan` goes through is not copied.
 *
 * `transB`: a, blocks of the matrix and perhaps of a bias in; the products of a with each block out, one after the other.
 * Else: blocks of a, blocks of the matrix and where the sum starts in; the sum out.
 */
import { type GraphNode, ONNX_TYPE, type Value } from './graph.js';
import { attributeTypes, type OnnxAttribute, type OnnxNode, type OnnxValueInfo } from './onnx-proto.js';

/** @param attribute - those of the product */
export function blockGemm(
  { inputs, outputs: [output], attributes }: GraphNode,
  nameOf: (value: Value) => string,
  attribute: readonly OnnxAttribute[],
): OnnxNode {
  const given = inputs as readonly Value[];
  const joins = attributes.transB === 1;
  const scanned = joins ? given.slice(1) : given.slice(0, 2);
  const states = joins ? [] : given.slice(2);
  const shapeOfProduct = output!.shape.slice(-2);
  const info = (name: string, shape: readonly number[]): OnnxValueInfo => ({
    name,
    type: {
      tensorType: { elemType: ONNX_TYPE.float32, shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
    },
  });
  const own = (value: Value) => `${nameOf(value)}:block`;
  const read = joins ? [nameOf(given[0]!), ...scanned.map(own)] : given.map(own);
  const product = `${nameOf(output!)}:block`;
  const body = {
    name: 'block',
    node: [{ opType: 'Gemm', input: read, output: [product], attribute: [...attribute] }],
    input: [
      ...states.map((value) => info(own(value), value.shape)),
      ...scanned.map((value) => info(own(value), value.shape.slice(1))),
    ],
    output: [info(product, shapeOfProduct)],
  };
  return {
    opType: 'Scan',
    input: [...states, ...scanned].map(nameOf),
    output: [nameOf(output!)],
    attribute: [
      { name: 'body', type: attributeTypes.graph, g: body },
      { name: 'num_scan_inputs', type: attributeTypes.int, i: scanned.length },
    ],
  };
}
