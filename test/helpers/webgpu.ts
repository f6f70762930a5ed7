/** @file The device webgpu in tests. */
import './swift-shader.js';
import { deviceTrouble } from '../../src/engine/compile.js';

/** The engine, and why a test must skip it here (null: it need not). */
export const webgpu = { engine: 'onnx:webgpu', skipped: await deviceTrouble('webgpu') } as const;
