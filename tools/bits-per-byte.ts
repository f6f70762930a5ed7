/** @file Bits a byte of a text under a model, in windows of the model's context that do not overlap. */
import { compile, type RunInput } from '../src/engine/compile.js';
import type { TransformerSpec } from '../src/text/lm/spec.js';
import { languageModelLoss } from './loss.js';
import { Windows } from './windows.js';

export interface Evaluation {
  readonly nats: number;
  readonly bitsPerByte: number;
  readonly tokens: number;
}

export type Evaluate = (
  parameters: Readonly<Record<string, RunInput>>,
  windows?: number,
) => Promise<Evaluation>;

/**
 * Each window is read after BOS, so its first token is predicted too; bytes are those the tokens stand for.
 *
 * Weights are inputs of the compiled function, so one evaluation serves a model in training.
 */
export async function compileEvaluation(
  spec: TransformerSpec,
  shapes: ReadonlyMap<string, readonly number[]>,
  corpus: { tokens: Uint16Array; byteLengths: readonly number[] },
  length = spec.context,
  batch = 8,
): Promise<Evaluate> {
  const compiled = await compile(
    (inputs) => ({ loss: languageModelLoss(spec, inputs, (name) => inputs[name]!) }),
    {
      inputs: {
        ids: { shape: [batch, length], dtype: 'int32' },
        targets: { shape: [batch * length], dtype: 'int32' },
        ...Object.fromEntries([...shapes].map(([name, shape]) => [name, { shape }])),
      },
    },
  );
  const text = new Windows(corpus.tokens, length, null);
  return async (parameters, windows = text.count) => {
    let nats = 0;
    let bytes = 0;
    let tokens = 0;
    for (let first = 0; first + batch <= windows; first += batch) {
      const { ids, targets } = text.batch(first, batch);
      const result = await compiled.run({ ...parameters, ids, targets });
      nats += result.loss![0]! * targets.length;
      tokens += targets.length;
      for (const id of targets) bytes += corpus.byteLengths[id]!;
    }
    return { nats: nats / tokens, bitsPerByte: nats / Math.LN2 / bytes, tokens };
  };
}
