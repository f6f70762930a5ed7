/** @file All sequences of a tiny vocabulary and their exact probabilities. */
import { compile } from '../../src/engine/compile.js';
import type { WeightSource } from '../../src/engine/weights/weights.js';
import type { TransformerSpec } from '../../src/text/lm/spec.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';
import { bannedMask } from '../../src/text/sampling/draw-steps.js';

/** Every sequence of allowed tokens after the start token, `[count, positions]`. */
export function allSequences(
  vocab: number,
  banned: readonly number[],
  start: number,
  positions: number,
): Int32Array {
  const tokens = Array.from({ length: vocab }, (_, id) => id).filter((id) => !banned.includes(id));
  let rows = [[start]];
  for (let position = 1; position < positions; position++)
    rows = rows.flatMap((row) => tokens.map((token) => [...row, token]));
  return Int32Array.from(rows.flat());
}

/** ln p of each sequence, banned tokens having no probability: `[count]`. */
export async function logProbabilities(
  spec: TransformerSpec,
  weights: WeightSource,
  banned: readonly number[],
  ids: Int32Array,
  positions: number,
): Promise<number[]> {
  const count = ids.length / positions;
  const program = await compile(
    (inputs, lookup) => {
      const read = forward(spec, lookup, { ids: inputs.ids! });
      return { logProbs: sequenceLogProbs(spec, lookup, read, inputs.ids!, bannedMask(spec.vocab, banned)) };
    },
    { inputs: { ids: { shape: [count, positions], dtype: 'int32' } }, weights },
  );
  const logProbs = (await program.run({ ids })).logProbs as Float32Array;
  program.dispose();
  const tokens = positions - 1;
  return Array.from({ length: count }, (_, row) =>
    logProbs.subarray(row * tokens, (row + 1) * tokens).reduce((sum, x) => sum + x, 0),
  );
}
