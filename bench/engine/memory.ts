/**
 * Resident memory of three shapes of one model compiled at once, value and gradient, against the size of its weights.
 *
 *   npm run build && npx tsx bench/engine/memory.ts
 */
import { compile } from '../../src/engine/compile.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';
import { gpt2Weights, workloads } from './workloads.js';

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const { fn, weights } = workloads['gpt2-gradient']!;
const programs = [];
for (const shape of [
  [32, 16, 768],
  [8, 32, 768],
  [64, 12, 768],
]) {
  const program = await compile(fn, { inputs: { x: { shape } }, weights });
  await program.run({ x: new Float32Array(sizeOf(shape)).fill(0.1) });
  programs.push(program);
  console.log(`${shape.join(' x ')}: resident ${mebibytes(process.memoryUsage().rss)} MiB`);
}
const used = gpt2Weights.names.filter((name) => name !== 'transformer.wte.weight');
const size = used.reduce((sum, name) => sum + 4 * sizeOf(gpt2Weights.shape(name)), 0);
console.log(
  `weights in use ${mebibytes(size)} MiB, ${programs.length} programs; resident at most weights + 600 MiB is wanted`,
);
process.exit();
