import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as z from 'zod';
import { UserError } from '../core/errors.js';
import { openUnitStatistics, saveUnitStatistics } from './unit-statistics.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-units-'));
afterAll(() => rmSync(place, { recursive: true }));

const schema = z.object({ tokens: z.int() });
const floats = (...values: number[]) => Float32Array.from(values);

/** A folder with the statistics of two units. */
function folderOf(change: { deviation?: Float32Array; max?: Float32Array } = {}): string {
  const folder = mkdtempSync(join(place, 'model-'));
  const statistics = {
    mean: floats(1, 2),
    deviation: floats(1, 1),
    max: floats(3, 4),
    quantiles: new Float32Array(8),
  };
  const others = [['centre', { shape: [3], data: floats(1, 2, 3) }]] as const;
  saveUnitStatistics(folder, { tokens: 5 }, [['heads 0', { ...statistics, ...change }]], others);
  return folder;
}

test('what was written is read', () => {
  const file = openUnitStatistics(folderOf(), schema)!;
  expect(file.counted).toEqual({ tokens: 5 });
  expect(file.load('heads 0')!.mean).toEqual(floats(1, 2));
  expect(file.load('heads 0', 2)!.max).toEqual(floats(3, 4));
  expect(file.load('heads 1', 2)).toBeUndefined();
  expect(file.array('centre', 3)).toEqual(floats(1, 2, 3));
  expect(openUnitStatistics(place, schema)).toBeUndefined();
});

test.each([
  ['no JSON', '{', /units\.json is damaged: it is no JSON; fetch/],
  ['of another shape', '{"tokens":"many"}', /units\.json is damaged: Invalid input.* at "tokens"; fetch/],
  ['null', 'null', /units\.json is damaged/],
])('units.json that is %s', (_name, text, message) => {
  const folder = folderOf();
  writeFileSync(join(folder, 'units.json'), text);
  expect(() => openUnitStatistics(folder, schema)).toThrow(message);
  expect(() => openUnitStatistics(folder, schema)).toThrow(UserError);
});

test.skipIf(process.platform === 'win32')('units.json that is a pipe', () => {
  const folder = folderOf();
  rmSync(join(folder, 'units.json'));
  execFileSync('mkfifo', [join(folder, 'units.json')]);
  expect(() => openUnitStatistics(folder, schema)).toThrow(/that is a pipe/);
});

test('statistics of other units, or none', () => {
  const opened = (folder: string) => openUnitStatistics(folder, schema)!;
  expect(() => opened(folderOf()).load('heads 0', 3)).toThrow(
    /"heads 0 mean" has the shape \[2\] instead of \[3\]/,
  );
  expect(() => opened(folderOf()).array('centre', 2)).toThrow(/shape \[3\] instead of \[2\]/);
  for (const change of [{ max: floats(1, Number.NaN) }, { deviation: floats(1, 0) }])
    expect(() => opened(folderOf(change)).load('heads 0')).toThrow(/statistics of heads 0 are no numbers/);
});
