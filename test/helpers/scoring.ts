/** @file Scoring a text with a GPT-2 of random weights. */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { finishRun, type RunEvent } from '../../src/runs/events.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { type ScoreOptions, type ScoreResult, scoreText } from '../../src/text/score.js';
import { randomModel, tinyConfigs } from './random-model.js';

/** With a real tokenizer. Its config names what `special` does, and nothing to begin with. */
export async function gpt2In(place: string, special: object): Promise<TextModel> {
  const { bos_token_id: _, ...sizes } = tinyConfigs.gpt2;
  const config = { ...sizes, vocab_size: 4096, n_positions: 24, ...special };
  const folder = mkdtempSync(join(place, 'gpt2-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeSafetensors(join(folder, 'model.safetensors'), randomModel(config).arrays);
  cpSync(join(embeddedFolder, 'books-lm', 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return loadTextModel(folder);
}

/** The path of a text to calibrate on. */
export function calibrationTextIn(place: string): string {
  const path = join(place, 'calibration.txt');
  const sentence = 'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea. ';
  writeFileSync(path, sentence.repeat(40));
  return path;
}

export const scoreOptions = (
  model: TextModel,
  calibrationText: string,
  changes: Partial<ScoreOptions> = {},
): ScoreOptions => ({
  model,
  modelHash: 'hash',
  engine: 'onnx',
  measure: 'delta',
  at: 'max',
  reference: 'layer',
  calibrationText,
  seed: 0,
  text: 'It was a dark and stormy night',
  units: ['L1.H2'],
  ...changes,
});

/** A score, and the events of its run. */
export async function scoreBy(options: ScoreOptions): Promise<{ result: ScoreResult; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const result = await finishRun(scoreText(options), (event) => events.push(event));
  return { result, events };
}
