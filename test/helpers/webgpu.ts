/** @file The device webgpu in tests. */
import './software-gpu.js';
import { deviceTrouble, traitsHere } from '../../src/engine/compile.js';

/** The engine, and why a test must skip it here (null: it need not). */
export const webgpu = { engine: 'onnx:webgpu', skipped: await deviceTrouble('webgpu') } as const;

/** Whether it computes in half precision: SwiftShader does not. */
export const hasHalves = async (): Promise<boolean> =>
  webgpu.skipped === null && (await traitsHere(webgpu.engine)).rough === 'float16';
