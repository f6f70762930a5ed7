/**
 * @file What a model folder's language model can do: bits a byte, samples, attention heads of known kinds.
 *
 *   npx tsx tools/evaluate-language-model.ts --model models/books-lm --valid books-valid.txt.gz
 *     [--bytes 1000000] [--samples 10] [--temperature 0.8] [--seed 0]
 *
 * One JSON document on stdout.
 */
import { parseArgs } from 'node:util';
import { Random } from '../src/core/random.js';
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import { loadTextModel } from '../src/text/lm/model.js';
import { parameterShapes } from '../src/text/lm/parameters.js';
import { openSubject } from '../src/text/lm/subject.js';
import { forward } from '../src/text/lm/transformer.js';
import { Sampler } from '../src/text/sampling/sampler.js';
import { compileEvaluation } from './bits-per-byte.js';
import { BpeEncoder, tokenByteLengths } from './bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from './corpus.js';
import { Windows } from './windows.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    valid: { type: 'string' },
    bytes: { type: 'string', default: '1000000' },
    samples: { type: 'string', default: '10' },
    temperature: { type: 'string', default: '0.8' },
    seed: { type: 'string', default: '0' },
  },
});
if (!options.model || !options.valid) throw new Error('give --model and --valid');
const model = await loadTextModel(options.model);
const { spec, weights, tokenizer } = model;
const bos = tokenizer.bos ?? 0;
const random = Random.of(Number(options.seed), 'evaluation');

const vocabulary = await folderVocabulary(options.model);
const valid = await encodeCorpus(options.valid, new BpeEncoder(vocabulary));
const byteLengths = tokenByteLengths(vocabulary);

// -- bits a byte -----------------------------------------------------------------------------------------------

async function bitsPerByte() {
  let end = 0;
  for (let bytes = 0; end < valid.length && bytes < Number(options.bytes); end++)
    bytes += byteLengths[valid[end]!]!;
  const shapes = parameterShapes(spec);
  const tokens = valid.subarray(0, end);
  const evaluate = await compileEvaluation(spec, shapes, { tokens, byteLengths }, spec.context, 4);
  return evaluate(Object.fromEntries([...shapes.keys()].map((name) => [name, weights.read(name)])));
}

// -- heads -----------------------------------------------------------------------------------------------------

interface HeadScore {
  readonly head: string;
  readonly score: number;
}

/** Mean attention of every head from each position past `from` to the one `back` before it, strongest first. */
async function attentionBack(
  ids: Int32Array,
  positions: number,
  back: number,
  from: number,
): Promise<HeadScore[]> {
  const batch = 8;
  const chosen = new Float32Array(positions * positions);
  for (let query = from; query < positions; query++) chosen[query * positions + query - back] = 1;
  const program = await compile(
    (inputs, lookup) => {
      const run = forward(spec, lookup, { ids: inputs.ids! });
      return Object.fromEntries(
        Array.from({ length: spec.layers }, (_, layer) => {
          const pattern = run.at(`blocks.${layer}.attn.hook_pattern`); // [batch, head, qPos, kPos]
          const kept = tf.mul(pattern, tf.tensor(chosen, [1, 1, positions, positions]));
          return [`${layer}`, tf.sum(kept, [0, 2, 3])];
        }),
      );
    },
    { inputs: { ids: { shape: [batch, positions], dtype: 'int32' } }, weights },
  );
  const rows = sizeOf([ids.length / positions]);
  const sums = Array.from({ length: spec.layers }, () => new Float64Array(spec.heads));
  for (let first = 0; first < rows; first += batch) {
    const part = await program.run({ ids: ids.slice(first * positions, (first + batch) * positions) });
    for (const [layer, sum] of sums.entries())
      for (let head = 0; head < spec.heads; head++) sum[head]! += part[`${layer}`]![head]!;
  }
  program.dispose();
  return sums
    .flatMap((sum, layer) =>
      Array.from(sum, (x, head) => ({ head: `L${layer}.H${head}`, score: x / (rows * (positions - from)) })),
    )
    .sort((a, b) => b.score - a.score);
}

/** On text of the validation books. */
function previousTokenScores(): Promise<HeadScore[]> {
  const positions = 128;
  const { ids } = new Windows(valid, positions, 0).batch(0, 64);
  return attentionBack(ids, positions, 1, 2);
}

/** On BOS, random tokens and the same tokens again: attention to what followed the token's first occurrence. */
function inductionScores(): Promise<HeadScore[]> {
  const period = 64;
  const positions = 2 * period + 1;
  const ids = new Int32Array(64 * positions);
  for (let row = 0; row < 64; row++) {
    const start = row * positions;
    ids[start] = bos;
    for (let i = 1; i <= period; i++) {
      ids[start + i] = 1 + random.integer(spec.vocab - 1);
      ids[start + period + i] = ids[start + i]!;
    }
  }
  return attentionBack(ids, positions, period - 1, period + 1);
}

// -- samples ---------------------------------------------------------------------------------------------------

async function samples(): Promise<string[]> {
  const count = Number(options.samples);
  const positions = spec.context;
  const subject = { ...openSubject(model, 'onnx'), start: bos, special: [bos] };
  const prior = await Sampler.create({ subject, positions, batch: Math.max(1, count) });
  const ids = await prior.sample(count, random, Number(options.temperature));
  prior.dispose();
  return Array.from({ length: count }, (_, row) =>
    tokenizer.decode(ids.subarray(row * positions, (row + 1) * positions)),
  );
}

const result = {
  model: model.name,
  ...(await bitsPerByte()),
  previousToken: (await previousTokenScores()).slice(0, 5),
  induction: (await inductionScores()).slice(0, 5),
  temperature: Number(options.temperature),
  samples: await samples(),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);
