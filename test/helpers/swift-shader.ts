/** @file The adapter that SwiftShader (in Debian's chromium) is, where there is no other: for WebGPU in tests. */
import { existsSync } from 'node:fs';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) {
  process.env.VK_ICD_FILENAMES ??= swiftShader;
  process.env.VK_DRIVER_FILES ??= swiftShader;
}
