/**
 * Calibration of all heads and neurons of a model beside one forward pass over the same tokens, and the arithmetic that a
 * pass cannot do without at the speed of a large product on this machine.
 *
 *   npm run build && npx tsx bench/engine/calibration.ts MODEL_FOLDER [TOKENS]
 */
import { Random } from '../../src/core/random.js';
import { compile } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';
import { MemoryWeights } from '../../src/engine/weights/weights.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject } from '../../src/text/lm/subject.js';
import { forward } from '../../src/text/lm/transformer.js';
import { memoryStore } from '../../src/text/readouts/calibration-store.js';
import { sampledText } from '../../src/text/readouts/calibration-text.js';
import { countGroups } from '../../src/text/readouts/count-groups.js';
import { allGroups } from '../../src/text/readouts/kinds.js';
import { unitContext } from '../../src/text/readouts/units.js';

const [folder, tokens = '1024'] = process.argv.slice(2);
if (folder === undefined) throw new Error('the folder of a model is missing');

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${name.padEnd(46)} ${((performance.now() - start) / 1000).toFixed(2)} s`);
  return result;
}

async function last<T>(generator: AsyncGenerator<unknown, T, void>): Promise<T> {
  for (;;) {
    const { done, value } = await generator.next();
    if (done) return value;
  }
}

const model = await loadTextModel(folder);
const subject = openSubject(model, 'onnx');
const { spec, weights } = subject;
const text = await timed('drawing, the graph and its weights included', () =>
  last(sampledText(subject, memoryStore(), { tokens: Number(tokens) })),
);
const count = text.ids.length / text.positions;

const top = `blocks.${spec.layers - 1}.hook_resid_post` as const;
const batch = Math.min(16, count);
const pass = await timed('graph of a forward pass', () =>
  compile((inputs, lookup) => ({ sum: tf.sum(forward(spec, lookup, { ids: inputs.ids! }).at(top)) }), {
    inputs: { ids: { shape: [batch, text.positions], dtype: 'int32' } },
    weights,
  }),
);
await timed('one forward pass over the tokens', async () => {
  for (let row = 0; row < count; row += batch) {
    const part = text.ids.subarray(row * text.positions, (row + batch) * text.positions);
    const ids = new Int32Array(batch * text.positions);
    ids.set(part);
    await pass.run({ ids });
  }
});
pass.dispose();
const groups = allGroups(unitContext(model, 'delta'));
await timed(`counting ${groups.length} groups, graphs included`, () =>
  last(countGroups(subject, groups, text)),
);

const side = 2048;
const square = new MemoryWeights(
  new Map([['w', { shape: [side, side], data: new Random(0).normals(side * side) }]]),
);
const product = await compile(
  ({ x }, lookup) => ({ y: tf.matMul(x as tf.Tensor2D, lookup('w') as tf.Tensor2D) }),
  { inputs: { x: { shape: [side, side] } }, weights: square },
);
const x = new Random(1).normals(side * side);
let best = Infinity;
for (let i = 0; i < 6; i++) {
  const start = performance.now();
  await product.run({ x });
  best = Math.min(best, (performance.now() - start) / 1000);
}
const speed = (2 * side ** 3) / best;
const inLayers = weights.names.filter((name) => name.includes('layers.'));
const work = 2 * text.ids.length * inLayers.reduce((sum, name) => sum + sizeOf(weights.shape(name)), 0);
console.log(
  `a pass has ${(work / 1e9).toFixed(0)} GFLOP in matrices: ${(work / speed).toFixed(2)} s at ${(speed / 1e9).toFixed(0)} GFLOP/s`,
);
process.exit();
