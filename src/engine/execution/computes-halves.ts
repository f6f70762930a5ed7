/** @file Whether a device computes in half precision. */
import { onceEach } from '../../core/once.js';
import type { Backend } from '../backends/backend.js';
import { Graph } from '../compiler/graph.js';
import { buildProgram } from '../compiler/program.js';
import type { Traits } from '../traits.js';

/** Tried once, since nothing says so: onnxruntime-node 1.30 does not show the features of a WebGPU device (`shader-f16`). */
const computesHalves = onceEach(async (backend: Backend): Promise<boolean> => {
  const graph = new Graph();
  const x = graph.input('x', [1], 'float32');
  const y = graph.cast(graph.cast(x, 'float16'), 'float32');
  const settings = { threads: 1, arena: false, spins: false };
  const program = await backend.load(buildProgram({ graph, outputs: { y } }), settings);
  try {
    await backend.run(program, { x: { data: Float32Array.of(1), shape: [1], dtype: 'float32' } }, []);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('requires f16')) return false;
    throw error;
  } finally {
    backend.disposeProgram(program);
  }
}, new WeakMap());

/** A backend's traits, without half precision where its device has none. */
export async function traitsOfDevice(backend: Backend): Promise<Traits> {
  const { traits } = backend;
  return traits.rough === 'float16' && !(await computesHalves(backend)) ? { ...traits, rough: null } : traits;
}
