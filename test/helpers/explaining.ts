/** @file Explanations of texts with models of random weights, and what they are compared with. */
import { compile } from '../../src/engine/compile.js';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import type { Place } from '../../src/text/lm/places.js';
import { loadTokenizer } from '../../src/text/lm/tokenizer.js';
import { forward } from '../../src/text/lm/transformer.js';
import { openExplainer } from '../../src/text/readouts/explain.js';
import type { Session } from '../../src/text/readouts/session.js';
import { randomModel, tinyConfigs } from './random-model.js';

const books = `${embeddedFolder}/books-lm`;

export type ExplainedModel = 'llama' | 'gpt2' | 'books-lm';

/** The embedded model, or a tiny one of random weights with its tokenizer, said to be in a folder. */
export async function explainedModel(name: ExplainedModel, place: string): Promise<TextModel> {
  if (name === 'books-lm') return loadTextModel(books);
  const sizes = { vocab_size: 4096, max_position_embeddings: 40, n_positions: 40 };
  const { spec, weights } = randomModel({ ...tinyConfigs[name], ...sizes });
  const tokenizer = await loadTokenizer(books, { vocab: 4096, bos: 0 });
  return { name, folder: place, spec, weights, tokenizer };
}

export const sessionOf = (
  model: TextModel,
  calibrationText: string,
  changes: Partial<Session> = {},
): Session => ({
  model,
  engine: 'onnx',
  measure: 'delta',
  at: 'max',
  reference: 'layer',
  calibrationText,
  seed: 0,
  ...changes,
});

/** Everything that is said of some texts. */
export async function explainTexts(options: Session, unit: string, ...texts: string[]) {
  const { explainer, dispose } = await finishRun(openExplainer({ ...options, unit }));
  const explanations = [];
  for (const each of texts) explanations.push(await explainer.explain(each, { ablate: true }));
  await dispose();
  return explanations;
}

/** Values at a place for one text. */
export async function valuesAt(model: TextModel, ids: readonly number[], at: Place): Promise<number[]> {
  const program = await compile(({ x }, w) => ({ value: forward(model.spec, w, { ids: x! }).at(at) }), {
    inputs: { x: { shape: [1, ids.length], dtype: 'int32' } },
    weights: model.weights,
  });
  const { value } = await program.run({ x: ids });
  program.dispose();
  return Array.from(value!);
}
