/**
 * @file Weights that stay in half precision: models are fed with their bits, and widen them (exactly) in each run.
 *
 * Every node that reads such a weight has a float32 copy of its own, so that no copy outlives its node; a gather or a slice
 * takes its part of the bits, and a loop over blocks (block-gemm.ts) widens each in its body. The nodes that widen stand first
 * in the model. ONNX Runtime orders a graph by going back from its outputs, to the input that was written last first: so what a
 * product multiplies is computed before its weight is widened, and only one or two weights are wide at a time. Written beside
 * their products, they would all be widened at the start.
 */
import type { GraphDType } from '../tensor-spec.js';
import type { Traits } from '../traits.js';
import type { HalfType, WeightSource } from '../weights/weights.js';
import { ONNX_TYPE } from './graph.js';
import {
  attributeTypes,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValueInfo,
  onnxTypes,
} from './onnx-proto.js';

/** Element types in which a weight is kept. */
export type WeightType = 'float32' | HalfType;

/** The type in which a device keeps a weight of a source. */
export function weightType(weights: WeightSource, name: string, traits: Traits): WeightType {
  const { halves } = weights;
  return (traits.widensHalves && halves?.stay && halves.type(name)) || 'float32';
}

export const isHalf = (type: GraphDType | WeightType): type is HalfType =>
  type === 'float16' || type === 'bfloat16';

/** As which ONNX type arrays are fed. JavaScript has no arrays of bfloat16: their bits are fed as integers. */
export const FED_TYPE: Readonly<Record<GraphDType | WeightType, number>> = {
  ...ONNX_TYPE,
  bfloat16: onnxTypes.uint16,
};

/** `BitCast`, of which bfloat16 is made, is in ONNX from this version on. */
export const BIT_CAST_OPSET = 26;

/** Take the same part of the bits as of the numbers. */
const takesPart: readonly (string | undefined)[] = ['Gather', 'Slice'];

/**
 * Nodes that read float32 where they read arrays in half precision.
 *
 * @param halves - the arrays in half precision, by name
 */
export function widened(nodes: readonly OnnxNode[], halves: ReadonlyMap<string, HalfType>): OnnxNode[] {
  const first: OnnxNode[] = [];
  const rest = nodes.flatMap((node, number) => {
    const [data = '', ...others] = node.input ?? [];
    const type = halves.get(data);
    if (type && takesPart.includes(node.opType)) {
      const [output] = node.output as [string];
      const part = `${output}:half`;
      return [{ ...node, input: [data, ...others], output: [part] }, ...widening(type, part, output)];
    }
    const wideInputs = ({ input }: OnnxNode) =>
      input?.map((name, i) => {
        const half = halves.get(name);
        if (!half) return name;
        const wide = `${name}:${number}.${i}`;
        first.push(...widening(half, name, wide));
        return wide;
      }) ?? [];
    if (node.opType === 'Scan') return [widenedInBody(node, halves, wideInputs)];
    return [{ ...node, input: wideInputs(node) }];
  });
  return [...first, ...rest];
}

/** A loop over blocks widens each in its turn; what its body reads from outside, it reads wide. */
function widenedInBody(
  { attribute, ...scan }: OnnxNode,
  halves: ReadonlyMap<string, HalfType>,
  wideInputs: (node: OnnxNode) => string[],
): OnnxNode {
  const widenedHere: OnnxNode[] = [];
  const bits = (scanned: OnnxValueInfo, i: number): OnnxValueInfo => {
    const half = halves.get(scan.input![i]!);
    if (!half) return scanned;
    const [name, { tensorType }] = [`${scanned.name}:half`, scanned.type!];
    widenedHere.push(...widening(half, name, scanned.name!));
    return { name, type: { tensorType: { ...tensorType, elemType: FED_TYPE[half] } } };
  };
  const body = (g: OnnxGraph): OnnxGraph => {
    const input = g.input!.map(bits);
    const node = g.node!.map((inner) => ({ ...inner, input: wideInputs(inner) }));
    return { ...g, input, node: [...widenedHere, ...node] };
  };
  return {
    ...scan,
    attribute: attribute!.map((given) => (given.g ? { ...given, g: body(given.g) } : given)),
  };
}

function widening(type: HalfType, from: string, to: string): OnnxNode[] {
  const node = (opType: string, input: string, output: string, i: number): OnnxNode => ({
    opType,
    input: [input],
    output: [output],
    attribute: [{ name: 'to', type: attributeTypes.int, i }],
  });
  if (type === 'float16') return [node('Cast', from, to, onnxTypes.float)];
  const typed = `${to}:typed`;
  return [node('BitCast', from, typed, onnxTypes.bfloat16), node('Cast', typed, to, onnxTypes.float)];
}
