/**
 * Matrices in 8 bits laid out for products beforehand (`packed`) or at every run, in turn in one run: log-probabilities
 * of texts of 12 tokens under a model of GPT-2 small's size with random weights.
 *
 *   npx tsx bench/engine/packed.ts [--rounds 30]
 */
import { parseArgs } from 'node:util';
import { compile } from '../../src/engine/compile.js';
import { Random } from '../../src/engine/random.js';
import { forward, sequenceLogProbs } from '../../src/text/transformer.js';
import { gpt2, gpt2Weights } from './workloads.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const POSITIONS = 13;
const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1]!;

for (const batch of [3, 20]) {
  const random = new Random(0);
  const ids = Int32Array.from({ length: batch * POSITIONS }, () => random.integer(gpt2.vocab));
  const compiled = (packed: boolean) =>
    compile(
      (inputs, lookup) => ({
        logProbs: sequenceLogProbs(gpt2, lookup, forward(gpt2, lookup, { ids: inputs.ids! }), inputs.ids!),
      }),
      {
        inputs: { ids: { shape: [batch, POSITIONS], dtype: 'int32' } },
        ...{ weights: gpt2Weights, precision: 'int8', packed },
      },
    );
  const contestants = [await compiled(false), await compiled(true)];
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= Number(flags.rounds); round++)
    for (const [i, contestant] of contestants.entries()) {
      const start = performance.now();
      await contestant.run({ ids });
      if (round > 0) times[i]!.push(performance.now() - start);
    }
  const [plain, packed] = times.map(median) as [number, number];
  const ratio = (packed / plain).toFixed(2);
  console.log(`${batch} texts: plain ${plain.toFixed(1)} ms, packed ${packed.toFixed(1)} ms, ratio ${ratio}`);
  for (const contestant of contestants) contestant.dispose();
}
process.exit();
