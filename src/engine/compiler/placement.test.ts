/**
 * Operators without a kernel on WebGPU: what the table says against what ONNX Runtime's profile says. It is asked in this thread:
 * two that use its WebGPU crash.
 */
import '../../../test/helpers/software-gpu.js';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { printProgram, traitsOf } from '../compile.js';
import { graphsOf } from '../execution/compiled.js';
import { attendCached } from '../functions/attention.js';
import { layerNorm, logSoftmax } from '../functions/ops.js';
import * as tf from '../functions/tfjs.js';
import { sizeOf } from '../tensor-spec.js';
import type { GraphNode } from './graph.js';
import { runsOnCpu } from './op-table.js';
import { buildProgram } from './program.js';
import { reachable } from './reachable.js';
import type { TensorFunction } from './trace.js';

const engine = 'onnx:webgpu';
const inputs = { x: { shape: [2, 8, 8, 4] } };

/** Many operators that are written, each once. */
const fn: TensorFunction = ({ x }) => {
  const image = x as tf.Tensor4D;
  const all = tf.addN([
    tf.atan(image),
    tf.cos(image),
    tf.sin(image),
    tf.tan(image),
    tf.elu(image),
    tf.selu(image),
    tf.round(image),
    tf.sign(image),
    tf.abs(image),
    tf.erf(image),
    tf.softplus(image),
    tf.where(tf.logicalOr(tf.isNaN(image), tf.greater(image, 1)), image, tf.square(image)),
  ]);
  const filter = tf.ones([3, 3, 4, 4]) as tf.Tensor4D;
  const back = tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, filter, 2, 'same'))))(
    image,
  );
  const pooled = tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'))))(
    image,
  );
  const rows = tf.reshape(image, [16, 32]);
  const flat = (size: number) => tf.slice(tf.reshape(image, [2, 1, 1, 256]), [0, 0, 0, 0], [2, 1, 1, size]);
  const cache = { k: tf.zeros([2, 1, 4, 8]), v: tf.ones([2, 1, 4, 8]) };
  const at = tf.cast(tf.slice(tf.reshape(image, [512]), [0], [2]), 'int32');
  const squares = tf.reshape(image, [2, 16, 16]);
  return {
    all,
    back,
    turned: tf.matMul(squares, squares, false, true),
    pooled,
    normed: layerNorm(rows, tf.ones([32]), tf.zeros([32]), 1e-5),
    logits: logSoftmax(rows),
    attended: attendCached(flat(8), flat(8), flat(8), cache, at, 1).z,
    one: tf.oneHot(tf.argMax(rows as tf.Tensor2D, 1) as tf.Tensor1D, 32),
    top: tf.topk(rows, 3).indices,
  };
};

/** `Cast(int64)`: an operator and the type of what it reads first. */
const named = (op: string, type: string | undefined) => `${op}(${type ?? ''})`;

async function measured(model: Uint8Array): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'placement-'));
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'disabled',
    enableProfiling: true,
    profileFilePrefix: join(folder, 'p'),
    logSeverityLevel: 3,
  });
  const { shape } = inputs.x;
  await session.run({
    'input:x': new ort.Tensor('float32', new Float32Array(sizeOf(shape)).fill(0.5), shape),
  });
  session.endProfiling();
  await session.release();
  const [file] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as {
    readonly cat: string;
    readonly name: string;
    readonly args: { op_name: string; provider: string; input_type_shape: Record<string, unknown>[] };
  }[];
  rmSync(folder, { recursive: true });
  const types: Record<string, string> = { float: 'float32' };
  return new Map(
    events.flatMap(({ cat, name, args }) => {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || args.op_name.startsWith('Memcpy')) return [];
      const [type] = Object.keys(args.input_type_shape[0] ?? {});
      return [[named(args.op_name, types[type!] ?? type), args.provider] as const];
    }),
  );
}

it('is where the table says, and the program printed lists it', async (context) => {
  const { computed } = graphsOf(fn, { inputs }, traitsOf(engine));
  const { nodes } = reachable(Object.values(computed.outputs));
  let places: Map<string, string>;
  try {
    places = await measured(buildProgram(computed).model);
  } catch (error) {
    if (/adapter/.test(String(error))) return context.skip('no adapter for WebGPU');
    throw error;
  }
  const wrong = nodes.flatMap((node: GraphNode) => {
    const provider = places.get(named(node.op, node.inputs[0]?.dtype));
    const expected = runsOnCpu(node) ? 'CPUExecutionProvider' : 'WebGpuExecutionProvider';
    return provider === undefined || provider === expected ? [] : [`${node.op}: ${provider}`];
  });
  expect(wrong).toEqual([]);
  expect(places.size).toBeGreaterThan(35);
  const onCpu = [...places].filter(([, provider]) => provider.startsWith('CPU'));
  expect(onCpu.length).toBeGreaterThan(14);
  const printed = printProgram(fn, { inputs, engine }).split('\n').at(-2)!;
  expect(printed).toMatch(/^on the cpu: Atan, /);
  for (const op of ['LogSoftmax', 'FusedMatMul']) expect(printed).not.toContain(op);
  for (const [name] of onCpu) expect(printed).toContain(name.replace(/\(.*/, ''));
});
