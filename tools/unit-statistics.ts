/**
 * @file Counts the statistics of all units of a model over its training corpus and writes them into its folder.
 *
 *   npx tsx tools/unit-statistics.ts --model models/books-lm --corpus books-train.txt.gz [--tokens 1048576]
 *     [--work DIR]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import type { WeightArray } from '../src/engine/weights/weights.js';
import { headOutputWeights } from '../src/text/lm/matrices.js';
import { openTextWeights } from '../src/text/lm/model.js';
import { forward } from '../src/text/lm/transformer.js';
import { headGroup } from '../src/text/readouts/head.js';
import { headMeasures } from '../src/text/readouts/head-measures.js';
import { NeuronGroup } from '../src/text/readouts/neuron.js';
import type { ReadoutGroup } from '../src/text/readouts/readout.js';
import { type TextUnitStatistics, writeUnitStatistics } from '../src/text/readouts/unit-statistics.js';
import { BpeEncoder } from './bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from './corpus.js';
import { Histograms } from './histogram.js';
import { Windows } from './windows.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    corpus: { type: 'string' },
    tokens: { type: 'string', default: '1048576' },
    work: { type: 'string' },
  },
});
if (!options.model || !options.corpus) throw new Error('give --model and --corpus');
const folder = options.model;

/** The length over which samples of other models are calibrated, BOS included. */
const POSITIONS = 65;
const BATCH = 32;
const { spec, weights } = openTextWeights(folder);
const encoder = new BpeEncoder(await folderVocabulary(folder));
const tokens = await encodeCorpus(options.corpus, encoder, options.work && join(options.work, 'train.u16'));
const windows = new Windows(tokens, POSITIONS - 1, 0);
const sequences = Math.ceil(Number(options.tokens) / (POSITIONS - 1) / BATCH) * BATCH;
const counted = sequences * (POSITIONS - 1);

/** BOS and a window of the corpus, `[batch, positions]`. */
function sequenceBatch(first: number): Int32Array {
  const { targets } = windows.batch(first, BATCH);
  const ids = new Int32Array(BATCH * POSITIONS).fill(spec.bos ?? 0);
  for (let row = 0; row < BATCH; row++)
    ids.set(targets.subarray(row * (POSITIONS - 1), (row + 1) * (POSITIONS - 1)), row * POSITIONS + 1);
  return ids;
}

const inputs = { ids: { shape: [BATCH, POSITIONS], dtype: 'int32' as const } };
const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
/** All positions but the first, `[batch * (positions - 1), unit]`. */
const past = (x: tf.Tensor) =>
  tf.reshape(tf.slice(x, [0, 1, 0], [BATCH, POSITIONS - 1, -1]), [BATCH * (POSITIONS - 1), -1]);

// -- mean output of each head ----------------------------------------------------------------------------------

async function headCentres(): Promise<Float32Array[]> {
  const sums = layers.map(() => new Float64Array(spec.heads * spec.dHead));
  const program = await compile(
    (inputs, lookup) => {
      const run = forward(spec, lookup, { ids: inputs.ids! });
      const flat = (layer: number) =>
        tf.reshape(run.at(`blocks.${layer}.attn.hook_z`), [BATCH, POSITIONS, spec.heads * spec.dHead]);
      return Object.fromEntries(layers.map((layer) => [`${layer}`, tf.sum(past(flat(layer)), 0)]));
    },
    { inputs, weights },
  );
  for (let first = 0; first < sequences; first += BATCH) {
    const part = await program.run({ ids: sequenceBatch(first) });
    for (const layer of layers) for (const [i, x] of part[`${layer}`]!.entries()) sums[layer]![i]! += x;
    progress('mean outputs', first);
  }
  program.dispose();
  return sums.map((sum) => Float32Array.from(sum, (x) => x / counted));
}

async function meanDeltas(centres: readonly Float32Array[]): Promise<WeightArray[]> {
  const program = await compile(
    (_, lookup) =>
      Object.fromEntries(
        layers.map((layer) => {
          const centre = tf.tensor(centres[layer]!, [spec.heads, 1, spec.dHead]);
          return [`${layer}`, tf.matMul(centre, headOutputWeights(spec, lookup, layer))]; // [head, 1, dModel]
        }),
      ),
    { inputs: {}, weights },
  );
  const deltas = await program.run({});
  program.dispose();
  return layers.map((layer) => ({
    shape: [spec.heads, spec.dModel],
    data: deltas[`${layer}`] as Float32Array,
  }));
}

// -- measures --------------------------------------------------------------------------------------------------

/** All groups of a layer, each with the mean that it is centred on. */
function groupsOf(layer: number, centre: Float32Array): [ReadoutGroup, Float32Array | undefined][] {
  const heads = headMeasures.map((measure) => headGroup(spec, layer, measure));
  return [
    ...heads.map((group): [ReadoutGroup, Float32Array | undefined] => [
      group,
      group.centre ? centre : undefined,
    ]),
    ...(['post', 'pre'] as const).map((side): [ReadoutGroup, undefined] => [
      new NeuronGroup(spec, layer, side),
      undefined,
    ]),
  ];
}

async function countGroups(
  groups: readonly (readonly [ReadoutGroup, Float32Array | undefined])[],
): Promise<[ReadoutGroup, TextUnitStatistics][]> {
  const program = await compile(
    (inputs, lookup) => {
      const run = forward(spec, lookup, { ids: inputs.ids! });
      return Object.fromEntries(
        groups.map(([group, centre]) => [
          group.key,
          // [unit, row]: each unit's values lie together to be counted.
          tf.transpose(past(group.read({ spec, weights: lookup, pass: run }, centre))),
        ]),
      );
    },
    { inputs, weights },
  );
  const histograms = groups.map(([group]) => new Histograms(group.size));
  let running = program.run({ ids: sequenceBatch(0) });
  for (let first = 0; first < sequences; first += BATCH) {
    const part = await running;
    // The next batch is computed while this one is counted.
    if (first + BATCH < sequences) running = program.run({ ids: sequenceBatch(first + BATCH) });
    for (const [i, [group]] of groups.entries()) histograms[i]!.add(part[group.key] as Float32Array);
    progress('measures', first);
  }
  program.dispose();
  return groups.map(([group, centre], i) => [
    group,
    { ...histograms[i]!.statistics(), ...(centre && { centre }) },
  ]);
}

function progress(what: string, done: number): void {
  process.stderr.write(`\r${what}: ${((100 * (done + BATCH)) / sequences).toFixed(0)} %   `);
}

const centres = await headCentres();
const counts = await countGroups(layers.flatMap((layer) => groupsOf(layer, centres[layer]!)));
const text = { tokens: counted, positions: POSITIONS, key: `training corpus ${sequences} x ${POSITIONS}` };
writeUnitStatistics(folder, text, counts, await meanDeltas(centres));
process.stderr.write(`\n${counted} tokens counted, written to ${folder}\n`);
process.exit(0);
