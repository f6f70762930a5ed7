/**
 * Matrices in 8 bits laid out for products beforehand (`packed`) or at every run, in turn in one run: log-probabilities
 * of texts of 12 tokens under a model of GPT-2 small's size with random weights.
 *
 *   npx tsx bench/engine/packed.ts [--rounds 30]
 */
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import { compile } from '../../src/engine/compile.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';
import { type Contestant, contest } from '../contest.js';
import { gpt2, gpt2Weights } from './workloads.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const POSITIONS = 13;

async function contestant(texts: number, packed: boolean): Promise<Contestant> {
  const random = new Random(0);
  const ids = Int32Array.from({ length: texts * POSITIONS }, () => random.integer(gpt2.vocab));
  const program = await compile(
    (inputs, lookup) => ({
      logProbs: sequenceLogProbs(gpt2, lookup, forward(gpt2, lookup, { ids: inputs.ids! }), inputs.ids!),
    }),
    {
      inputs: { ids: { shape: [texts, POSITIONS], dtype: 'int32' } },
      weights: gpt2Weights,
      precision: 'rough',
      packed,
    },
  );
  return async () => {
    const start = performance.now();
    await program.run({ ids });
    return performance.now() - start;
  };
}

for (const texts of [3, 20]) {
  const contestants = new Map<string, Contestant>();
  for (const packed of [false, true])
    contestants.set(packed ? 'packed' : 'plain', await contestant(texts, packed));
  const name = `${texts} texts`;
  const { plain, packed } = (await contest([name], contestants, Number(flags.rounds)))[name]!;
  console.log(`packed / plain ${(packed!.milliseconds / plain!.milliseconds).toFixed(2)}`);
}
process.exit();
