/** @file The embedded language model: what was shipped is what was trained, here and in Hugging Face transformers. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/engine/compile.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';
import { forward } from '../../src/text/lm/transformer.js';
import { headGroup } from '../../src/text/readouts/head.js';
import { headMeasures } from '../../src/text/readouts/head-measures.js';
import { NeuronGroup } from '../../src/text/readouts/neuron.js';
import { shippedStatistics } from '../../src/text/readouts/unit-statistics.js';
import { compileEvaluation } from '../../tools/bits-per-byte.js';
import { BpeEncoder, tokenByteLengths } from '../../tools/bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from '../../tools/corpus.js';
import { shared } from '../helpers/shared.js';

const folder = fileURLToPath(new URL('../../models/books-lm', import.meta.url));

/** Made from the parameters in full precision when they were exported. */
const reference = JSON.parse(readFileSync(new URL('books-lm.json', import.meta.url), 'utf8')) as {
  text: string;
  ids: number[];
  top: { ids: number[]; logits: number[] }[];
};
/** What rounding the weights to half precision may change in a logit. */
const HALF_PRECISION = 0.05;

/** Largest difference to the reference. @param logits - `[pos, vocab]` */
function distance(logits: ArrayLike<number>, vocab: number): number {
  return Math.max(
    ...reference.top.flatMap(({ ids, logits: expected }, position) =>
      ids.map((id, i) => Math.abs(logits[position * vocab + id]! - expected[i]!)),
    ),
  );
}

describe('models/books-lm', () => {
  let model: TextModel;
  beforeAll(async () => {
    model = await loadTextModel(folder);
  });

  it('reads text as the tokens it was trained on', () => {
    expect(model.tokenizer.encode(reference.text)).toEqual(reference.ids);
    expect(model.tokenizer.decode(reference.ids)).toBe(reference.text);
  });

  it('has the logits of the trained parameters, within half precision', async () => {
    const { spec, weights } = model;
    const program = await compile(
      (inputs, lookup) => ({ logits: forward(spec, lookup, { ids: inputs.ids! }).at('logits') }),
      { inputs: { ids: { shape: [1, reference.ids.length], dtype: 'int32' } }, weights },
    );
    const { logits } = await program.run({ ids: reference.ids });
    program.dispose();
    expect(distance(logits!, spec.vocab)).toBeLessThan(HALF_PRECISION);
  });

  it('ships statistics of every head and neuron', () => {
    const shipped = shippedStatistics(folder)!;
    const { spec } = model;
    expect(shipped.text.tokens).toBeGreaterThanOrEqual(1_000_000);
    for (let layer = 0; layer < spec.layers; layer++) {
      const heads = headMeasures.map((measure) => headGroup(spec, layer, measure));
      const neurons = (['pre', 'post'] as const).map((side) => new NeuronGroup(spec, layer, side));
      for (const group of [...heads, ...neurons]) {
        const { mean, deviation, max, quantiles, centre } = shipped.load(group)!;
        const units = group.size;
        expect(mean).toHaveLength(units);
        const ordered = Array.from({ length: units }, (_, unit) => [
          ...Array.from({ length: 4 }, (_, q) => quantiles[q * units + unit]!),
          max[unit]!,
        ]);
        for (const [unit, values] of ordered.entries()) {
          expect(deviation[unit]).toBeGreaterThan(0);
          expect([...values].sort((a, b) => a - b)).toEqual(values);
        }
        const centred = 'centre' in group ? group.centre : undefined;
        expect(centre?.length).toBe(centred?.size);
      }
    }
  });

  const valid = shared('data/books-valid.txt.gz');
  it.skipIf(valid.missing)(
    valid.title('needs fewer than 1.95 bits a byte for the start of the validation books'),
    async () => {
      const { spec, weights } = model;
      const vocabulary = await folderVocabulary(folder);
      const tokens = await encodeCorpus(valid.path, new BpeEncoder(vocabulary));
      const shapes = parameterShapes(spec);
      const corpus = { tokens, byteLengths: tokenByteLengths(vocabulary) };
      const evaluate = await compileEvaluation(spec, shapes, corpus);
      const parameters = Object.fromEntries([...shapes.keys()].map((name) => [name, weights.read(name)]));
      expect((await evaluate(parameters, 64)).bitsPerByte).toBeLessThan(1.95);
    },
  );

  const python = process.env.SUPERSTIM_PYTHON;
  it.skipIf(!python)(
    'gives the same in Hugging Face transformers (needs SUPERSTIM_PYTHON, a Python that has it)',
    () => {
      const script = `
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, text = sys.argv[1:]
ids = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0]
print(json.dumps({"ids": ids, "logits": logits.flatten().tolist()}))
`;
      const output = execFileSync(python!, ['-c', script, folder, reference.text], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const { ids, logits } = JSON.parse(output) as { ids: number[]; logits: number[] };
      expect(ids).toEqual(reference.ids);
      expect(distance(logits, model.spec.vocab)).toBeLessThan(HALF_PRECISION);
    },
  );
});
