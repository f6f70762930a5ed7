import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { description } from '../../test/helpers/run-events.js';
import { createRunFolder } from '../runs/run-folder.js';
import { readRunCheckpoint, savingTo } from './checkpoint-file.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-checkpoint-'));
afterAll(() => rmSync(place, { recursive: true }));

it('gives back the last checkpoint, none before the first, and refuses a damaged one', () => {
  const schema = z.object({ done: z.number() });
  const folder = createRunFolder(place, description);
  folder.close();
  expect(readRunCheckpoint(folder.path, schema)).toBeUndefined();
  const { save } = savingTo(folder);
  save({ done: 1 });
  save({ done: 2 });
  expect(readRunCheckpoint(folder.path, schema)).toEqual({ done: 2 });
  save({ other: 2 });
  expect(() => readRunCheckpoint(folder.path, schema)).toThrow('is damaged: the run cannot be resumed');
  writeFileSync(join(folder.path, 'checkpoint.json'), '{"done":');
  expect(() => readRunCheckpoint(folder.path, schema)).toThrow('is damaged: the run cannot be resumed');
});

it('a run goes on where its folder can no longer be written', () => {
  const folder = createRunFolder(place, description);
  folder.close();
  rmSync(folder.path, { recursive: true });
  writeFileSync(folder.path, '');
  expect(() => savingTo(folder).save({ done: 1 })).not.toThrow();
});
