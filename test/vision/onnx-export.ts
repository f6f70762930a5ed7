/** @file Networks written as .onnx files the way PyTorch writes them: channels first, Conv, BatchNormalization, Relu, Gemm. */
import {
  attributeTypes,
  encodeModel,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  onnxTypes,
} from '../../src/engine/compiler/onnx-proto.js';
import type { WeightSource } from '../../src/engine/weights/weights.js';
import type { LayerGraph } from '../../src/vision/layers/graph.js';
import type { Op, PoolOp } from '../../src/vision/layers/op.js';
import type { Param } from '../../src/vision/layers/params.js';
import type { Window } from '../../src/vision/layers/windows.js';

const ints = (name: string, values: readonly number[]): OnnxAttribute => ({
  name,
  type: attributeTypes.ints,
  ints: [...values],
});
const int = (name: string, i: number): OnnxAttribute => ({ name, type: attributeTypes.int, i });
const float = (name: string, f: number): OnnxAttribute => ({ name, type: attributeTypes.float, f });

function windowAttributes({ size, strides, padding }: Window): OnnxAttribute[] {
  if (typeof padding === 'string') throw new Error('PyTorch pads by numbers');
  const [top, bottom, left, right] = padding.pads;
  return [
    ints('kernel_shape', size),
    ints('strides', strides),
    ints('pads', [top, left, bottom, right]),
    ...(padding.ceil ? [int('ceil_mode', 1)] : []),
  ];
}

/**
 * An .onnx file that computes the named layers of a network of `src/vision/torch` for pictures [N, channel, height, width].
 * Nodes are called `<layer>`, outputs too.
 */
export function exportOnnx(
  graph: LayerGraph,
  weights: WeightSource,
  image: readonly [channels: number, height: number, width: number],
  layers: readonly string[],
): Uint8Array {
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const wanted = new Map(
    layers.map((layer) => [graph.named.find(({ name }) => name === layer)!.node, layer]),
  );
  const written = new Map<number, string>([[0, 'x']]);

  const initializer = (name: string, dims: readonly number[], data: Float32Array): string => {
    initializers.set(name, {
      name,
      dims: [...dims],
      dataType: onnxTypes.float,
      rawData: new Uint8Array(data.buffer),
    });
    return name;
  };
  /** The weight as PyTorch keeps it: what our graph transposes, it does not. */
  const weight = ({ name }: Param): string => initializer(name, weights.shape(name), weights.read(name));

  const emit = (opType: string, input: string[], output: string, attribute: OnnxAttribute[] = []): string => {
    nodes.push({ opType, name: output, input, output: [output], attribute });
    return output;
  };

  function translate(op: Op, x: string[], output: string): string {
    const first = x[0]!;
    switch (op.kind) {
      case 'conv':
        return emit('Conv', [first, weight(op.kernel), ...(op.bias ? [weight(op.bias)] : [])], output, [
          ...windowAttributes(op.window),
          int('group', op.groups),
        ]);
      case 'dense':
        return emit('Gemm', [first, weight(op.kernel), ...(op.bias ? [weight(op.bias)] : [])], output, [
          int('transB', 1),
        ]);
      case 'affine':
        return emit(
          'BatchNormalization',
          [first, ...[op.scale, op.shift, op.mean, op.variance].map((p) => weight(p!))],
          output,
          [float('epsilon', op.epsilon!)],
        );
      case 'activation': {
        if (op.name === 'relu') return emit('Relu', [first], output);
        const bounds = [op.a!, op.b!].map((bound) =>
          initializer(`bound ${bound}`, [], Float32Array.of(bound)),
        );
        return emit('Clip', [first, ...bounds], output);
      }
      case 'max pool':
      case 'average pool':
        return emit(op.kind === 'max pool' ? 'MaxPool' : 'AveragePool', [first], output, [
          ...windowAttributes((op as PoolOp).window),
          ...(op.kind === 'average pool' ? [int('count_include_pad', Number(op.countPadding))] : []),
        ]);
      case 'reduce':
        return emit('Flatten', [emit('GlobalAveragePool', [first], `${output} pooled`)], output);
      case 'flatten':
        return emit('Flatten', [first], output);
      case 'concat':
        return emit('Concat', x, output, [int('axis', 1)]);
      case 'add':
        return emit('Add', x, output);
      default:
        throw new Error(`${op.kind} is not exported`);
    }
  }

  const visit = (node: number): string => {
    const known = written.get(node);
    if (known !== undefined) return known;
    const { op, inputs } = graph.nodes[node]!;
    const output = translate(op, inputs.map(visit), wanted.get(node) ?? `node ${node}`);
    written.set(node, output);
    return output;
  };
  for (const node of wanted.keys()) visit(node);

  const valueInfo = (name: string, dims: readonly (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType: onnxTypes.float,
        shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });
  const outputType = { tensorType: { elemType: onnxTypes.float } };
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'network',
      node: nodes,
      initializer: [...initializers.values()],
      input: [valueInfo('x', ['N', ...image])],
      output: layers.map((name) => ({ name, type: outputType })),
    },
  });
}
