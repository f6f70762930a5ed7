/**
 * A model folder with random weights, in bf16, for measuring time and memory. Never committed.
 *
 *   npx tsx tools/make-random-model.ts SHAPE DIR      (gpt2-small, smollm2-135m, gemma-2-2b or gemma-2-400m)
 */
import { type Shape, shapes, writeRandomModel } from './random-model.js';

const [shape, folder] = process.argv.slice(2);
if (shape === undefined || folder === undefined || !(shape in shapes)) {
  console.error(`usage: make-random-model.ts SHAPE DIR, SHAPE one of ${Object.keys(shapes).join(', ')}`);
  process.exit(2);
}
writeRandomModel(shape as Shape, folder, 'BF16');
