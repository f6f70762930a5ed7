/**
 * @file What a dictionary explains of text that it was not trained on, as `superstim` reads it.
 *
 *   npx tsx tools/evaluate-dictionary.ts --model models/books-lm --dictionary models/books-lm/dictionary
 *     --valid books-valid.txt.gz [--tokens 1000000]
 *
 * One JSON document on stdout: `fvu`, the share of the variance that is left unexplained; `l0`, active latents a token; `dead`,
 * latents that are active at none; `rare`, those that are active at fewer than one token of 100,000; `frequency`, quantiles
 * of the share of tokens that a latent is active at.
 */
import { parseArgs } from 'node:util';
import { openTextWeights } from '../src/text/lm/model.js';
import { BpeEncoder } from './bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from './corpus.js';
import { dictionaryFit } from './dictionary-fit.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    dictionary: { type: 'string' },
    valid: { type: 'string' },
    tokens: { type: 'string', default: '1000000' },
  },
});
const { model, dictionary, valid } = options;
if (!model || !dictionary || !valid) throw new Error('give --model, --dictionary and --valid');

const encoder = new BpeEncoder(await folderVocabulary(model));
const tokens = (await encodeCorpus(valid, encoder)).subarray(0, Number(options.tokens));
const { fvu, l0, fired, counted } = await dictionaryFit(openTextWeights(model), dictionary, tokens);
const shares = fired.map((times) => times / counted).sort();
const quantile = (q: number) => Number(shares[Math.floor(q * (shares.length - 1))]!.toPrecision(3));
const result = {
  tokens: counted,
  fvu: Number(fvu.toFixed(4)),
  l0: Number(l0.toFixed(2)),
  dead: fired.filter((times) => times === 0).length,
  rare: shares.filter((share) => share < 1e-5).length,
  frequency: Object.fromEntries([0.1, 0.5, 0.9, 0.99, 1].map((q) => [q, quantile(q)])),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);
