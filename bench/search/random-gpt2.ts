/** @file A folder with a model of GPT-2 small's size and random weights: good for timing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { writeRandomModel } from '../../tools/random-model.js';

/** Such a model in a folder that goes when the program ends, and a text to calibrate it on. */
export async function randomGpt2(): Promise<{ folder: string; model: TextModel; calibrationText: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'superstim-gpt2-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  writeRandomModel('gpt2-small', folder, 'F32');
  const model = await loadTextModel(folder);
  const calibrationText = join(folder, 'calibration.txt');
  const ids = Array.from({ length: 2000 }, (_, i) => 1 + ((i * 7919) % 50000));
  writeFileSync(calibrationText, model.tokenizer.decode(ids));
  return { folder, model, calibrationText };
}
