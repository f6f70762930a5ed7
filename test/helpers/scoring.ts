/** @file Scoring a text with a GPT-2 of random weights. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { finishRun, type RunEvent } from '../../src/runs/events.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import type { Session } from '../../src/text/readouts/session.js';
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

/** What is asked of a model before any unit. */
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

/** The path of a text to calibrate on. */
export function calibrationTextIn(place: string): string {
  const path = join(place, 'calibration.txt');
  const sentence = 'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea. ';
  writeFileSync(path, sentence.repeat(40));
  return path;
}

export interface Scoring {
  model: TextModel;
  /** An empty cache for each test. */
  cache: string;
  /** Goes when the file's tests end. */
  readonly place: string;
  readonly calibrationText: string;
}

/** What scoring needs, for the tests of a file. */
export function scoringEach(): Scoring {
  const place = mkdtempSync(join(tmpdir(), 'superstim-score-'));
  const at = { place, calibrationText: calibrationTextIn(place) } as Scoring;
  beforeAll(async () => {
    at.model = await gpt2In(place, { eos_token_id: 0 });
  });
  beforeEach(() => {
    at.cache = mkdtempSync(join(place, 'cache-'));
    process.env.SUPERSTIM_CACHE = at.cache;
  });
  afterAll(() => rmSync(place, { recursive: true }));
  return at;
}

export const optionsOf = (at: Scoring, changes: Partial<ScoreOptions> = {}): ScoreOptions => ({
  ...sessionOf(at.model, at.calibrationText),
  modelHash: 'hash',
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
