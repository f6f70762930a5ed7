/**
 * Where the time goes before a model computes for the first time, in one process, and the most memory it had.
 *
 *   npm run build && npx tsx tools/make-random-model.ts SHAPE DIR && npx tsx bench/engine/opening.ts DIR
 */
import { compile } from '../../src/engine/compile.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject } from '../../src/text/lm/subject.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('the folder of a model is missing');

/** Ends a stage: prints seconds on the clock and of the processor since the last. */
let [clock, processor] = [0, 0];
function stage(name: string): void {
  const { user, system } = process.cpuUsage();
  const [now, used] = [performance.now() / 1000, (user + system) / 1e6];
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${name.padEnd(40)} ${(now - clock).toFixed(2)} s, processor ${(used - processor).toFixed(2)} s, at most ${memory.toFixed(0)} MiB so far`,
  );
  [clock, processor] = [now, used];
}

stage('program loaded');
await hashModel(folder);
stage('files hashed');
const model = await loadTextModel(folder);
stage('config, headers and tokenizer read');
const { spec, weights, engine, start } = openSubject(model, 'onnx');
const ids = Int32Array.of(start, 5, 6, 7, 8);
const program = await compile(
  (inputs, lookup) => ({
    logProbs: sequenceLogProbs(spec, lookup, forward(spec, lookup, { ids: inputs.ids! }), inputs.ids!),
  }),
  { inputs: { ids: { shape: [1, ids.length], dtype: 'int32' } }, weights, engine },
);
stage('weights read and checked, graph made');
await program.run({ ids });
stage('five tokens computed');
await program.run({ ids });
stage('the same again');
process.exit();
