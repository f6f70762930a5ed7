/** @file How much of a text a dictionary explains, by the reader that `superstim` has of it. */
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { extendWeights } from '../src/engine/weights/extend.js';
import type { TextWeights } from '../src/text/lm/model.js';
import { forward } from '../src/text/lm/transformer.js';
import { latentKind } from '../src/text/readouts/latent.js';
import { fitFigures } from '../src/text/readouts/latent-group.js';
import { Windows } from './windows.js';

export interface DictionaryFit {
  /** Share of the variance that is left unexplained. */
  readonly fvu: number;
  /** Active latents a token. */
  readonly l0: number;
  /** At how many tokens each latent is active. */
  readonly fired: Float64Array;
  /** Tokens that were read. */
  readonly counted: number;
}

/** Tokens of a window, BOS included, which is not counted; and windows that are read at once. */
const POSITIONS = 129;
const BATCH = 8;

/**
 * @param path - the dictionary's folder
 * @param tokens - at least `BATCH` windows; what is left over is not read
 */
export async function dictionaryFit(
  { spec, weights }: TextWeights,
  path: string,
  tokens: Uint16Array,
): Promise<DictionaryFit> {
  const unit = { kind: 'latent', path, place: null, index: 0 } as const;
  const { group } = latentKind.open(unit, { spec, measure: 'delta', tokenId: () => null });
  const fit = group.fit!;
  const all = group.siblings!.inLayer(group.siblings!.layer)!.raw!;
  const rows = BATCH * (POSITIONS - 1);
  const past = (x: tf.Tensor) => tf.reshape(tf.slice(x, [0, 1, 0], [-1, -1, -1]), [rows, -1]);
  const program = await compile(
    ({ ids }, lookup) => {
      const context = { spec, weights: lookup, pass: forward(spec, lookup, { ids: ids! }) };
      return {
        fit: tf.sum(past(fit.values(context)), 0),
        fired: tf.sum(tf.cast(tf.notEqual(past(all.read(context)), 0), 'float32'), 0),
      };
    },
    {
      inputs: { ids: { shape: [BATCH, POSITIONS], dtype: 'int32' } },
      weights: extendWeights(weights, [fit.weights]),
    },
  );
  const windows = new Windows(tokens, POSITIONS, null);
  const sums = new Float64Array(fit.size);
  const fired = new Float64Array(all.size);
  let counted = 0;
  for (let first = 0; first + BATCH <= windows.count; first += BATCH) {
    const part = await program.run({ ids: windows.batch(first, BATCH).ids });
    for (const [i, x] of part.fit!.entries()) sums[i]! += x;
    for (const [i, x] of part.fired!.entries()) fired[i]! += x;
    counted += rows;
  }
  program.dispose();
  const { unexplained, active } = fitFigures(Float32Array.from(sums, (sum) => sum / counted));
  return { fvu: unexplained, l0: active, fired, counted };
}
