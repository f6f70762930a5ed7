/** @file Explanations of texts with models of random weights, and what they are compared with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
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
import { calibrationTextIn, sessionOf } from './scoring.js';

const books = `${embeddedFolder}/books-lm`;

export type ExplainedModel = 'llama' | 'gpt2' | 'books-lm';

/** The embedded model, or a tiny one of random weights with its tokenizer, said to be in a folder. */
async function explainedModel(name: ExplainedModel, place: string): Promise<TextModel> {
  if (name === 'books-lm') return loadTextModel(books);
  const sizes = { vocab_size: 4096, max_position_embeddings: 40, n_positions: 40 };
  const { spec, weights } = randomModel({ ...tinyConfigs[name], ...sizes });
  const tokenizer = await loadTokenizer(books, { vocab: 4096, bos: 0 });
  return { name, folder: place, spec, weights, tokenizer };
}

/** Sessions of the three models, for the tests of a file. */
export function explainingEach() {
  const place = mkdtempSync(join(tmpdir(), 'superstim-explain-'));
  const calibrationText = calibrationTextIn(place);
  const models = {} as Record<ExplainedModel, TextModel>;
  beforeAll(async () => {
    for (const name of ['llama', 'gpt2', 'books-lm'] as const)
      models[name] = await explainedModel(name, place);
  });
  afterAll(() => rmSync(place, { recursive: true }));
  const session = (name: ExplainedModel, changes: Partial<Session> = {}) =>
    sessionOf(models[name], calibrationText, changes);
  return { models, session };
}

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
