/**
 * @file A checkpoint as a model folder in Hugging Face's layout, weights in half precision.
 *
 *   npx tsx tools/export-language-model.ts --work DIR --out models/books-lm --reference test/text/books-lm.json
 *
 * The reference holds logits of the parameters as trained, in full precision, for the test of what was written.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/engine/compile.js';
import { writeSafetensors } from '../src/engine/weights/safetensors.js';
import { MemoryWeights } from '../src/engine/weights/weights.js';
import { parameterShapes } from '../src/text/lm/parameters.js';
import { forward } from '../src/text/lm/transformer.js';
import { BpeEncoder, tokenizerConfigJson, tokenizerJson } from './bpe-trainer.js';
import { readCheckpoint } from './checkpoint.js';
import { folderVocabulary, writeWhole } from './corpus.js';
import { config, spec } from './language-model.js';

const { values: options } = parseArgs({
  options: { work: { type: 'string' }, out: { type: 'string' }, reference: { type: 'string' } },
});
const { work, out, reference } = options;
if (!work || !out || !reference) throw new Error('give --work, --out and --reference');

const checkpoint = readCheckpoint(join(work, 'checkpoint.safetensors'));
if (!checkpoint) throw new Error(`there is no checkpoint in ${work}`);
const vocabulary = await folderVocabulary(work);
const json = (content: object) => `${JSON.stringify(content, null, 2)}\n`;

await mkdir(out, { recursive: true });
await writeWhole(join(out, 'config.json'), json(config));
await writeWhole(
  join(out, 'generation_config.json'),
  json({ bos_token_id: 0, eos_token_id: 0, do_sample: true, temperature: 0.8, max_length: spec.context }),
);
await writeWhole(join(out, 'tokenizer.json'), `${JSON.stringify(tokenizerJson(vocabulary))}\n`);
await writeWhole(join(out, 'tokenizer_config.json'), json(tokenizerConfigJson(vocabulary, spec.context)));
const arrays = [...parameterShapes(spec).keys()].map((name) => [name, checkpoint.state.get(name)!] as const);
// Hugging Face's loader asks for the format.
writeSafetensors(join(out, 'model.safetensors'), arrays, { dtype: 'F16', metadata: { format: 'pt' } });

// -- reference logits ------------------------------------------------------------------------------------------

const text =
  'It was the best of times, it was the worst of times.\n\n"You don\'t say so!" said the naïve old man.';
const ids = [0, ...new BpeEncoder(vocabulary).encode(text)];
const program = await compile(
  (inputs, weights) => ({ logits: forward(spec, weights, { ids: inputs.ids! }).at('logits') }),
  {
    inputs: { ids: { shape: [1, ids.length], dtype: 'int32' } },
    weights: new MemoryWeights(new Map(arrays)),
  },
);
const { logits } = await program.run({ ids });
/** The ten most probable next tokens at each position. */
const top = ids.map((_, position) => {
  const row = logits!.slice(position * spec.vocab, (position + 1) * spec.vocab);
  const best = Array.from(row.keys())
    .sort((a, b) => row[b]! - row[a]!)
    .slice(0, 10);
  return { ids: best, logits: best.map((id) => Number(row[id]!.toFixed(4))) };
});
await writeWhole(reference, `${JSON.stringify({ step: checkpoint.position.steps, text, ids, top })}\n`);
process.stderr.write(`step ${checkpoint.position.steps} written to ${out}\n`);
process.exit(0);
