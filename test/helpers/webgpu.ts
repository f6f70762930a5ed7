/** @file The device webgpu in tests: the adapter that SwiftShader (in Debian's chromium) is, where there is no other. */
import { existsSync } from 'node:fs';
import { deviceTrouble } from '../../src/engine/compile.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) {
  process.env.VK_ICD_FILENAMES ??= swiftShader;
  process.env.VK_DRIVER_FILES ??= swiftShader;
}

/** The engine, and why a test must skip it here (null: it need not). */
export const webgpu = { engine: 'onnx:webgpu', skipped: await deviceTrouble('webgpu') } as const;
