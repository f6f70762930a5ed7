/** Files of networks as large as VGG19 and Inception v3, with the weights of the formula; written by the first run. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightArray } from '../../src/engine/weights/weights.js';
import { FormulaWeights } from '../../test/vision/formula-weights.js';

const fixtures = new URL('../../../shared/fixtures/vision/', import.meta.url);

/** Path of `vgg19.safetensors` or `inception_v3.safetensors`. Needs the shapes in ../shared/fixtures/vision. */
export function networkFile(name: 'vgg19' | 'inception_v3'): string {
  const folder = join(tmpdir(), 'superstim-bench');
  const path = join(folder, `${name}.safetensors`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const { state_dict } = JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8'));
  const weights = new FormulaWeights(state_dict);
  const arrays = weights.names
    .filter((key) => !key.endsWith('num_batches_tracked'))
    .map((key): [string, WeightArray] => [key, { shape: weights.shape(key), data: weights.read(key) }]);
  writeSafetensors(path, arrays);
  return path;
}
