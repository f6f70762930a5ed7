/**
 * @file The adapter for WebGPU in tests that is no GPU: Mesa's lavapipe, which has half precision (from Vulkan 1.4 on; ONNX Runtime
 * does not take Debian 12's own), else SwiftShader, in Debian's chromium.
 */
import { existsSync, readFileSync } from 'node:fs';

const lavapipe = '/usr/share/vulkan/icd.d/lvp_icd.json';
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

const vulkanOf = (file: string): number =>
  existsSync(file) ? Number.parseFloat(JSON.parse(readFileSync(file, 'utf8')).ICD.api_version) : 0;

const driver = [vulkanOf(lavapipe) >= 1.4 && lavapipe, existsSync(swiftShader) && swiftShader].find(Boolean);
if (driver) {
  process.env.VK_ICD_FILENAMES ??= driver;
  process.env.VK_DRIVER_FILES ??= driver;
}
