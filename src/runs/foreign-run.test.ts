import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeRun } from '../../test/helpers/example-runs.js';
import { UserError } from '../core/errors.js';
import { finishRun, type Run } from './events.js';
import { readRun, viewRun } from './read-run.js';
import { createRunFolder, openRunFolder, recordRun } from './run-folder.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-foreign-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newRun = () => writeRun(mkdtempSync(join(scratch, 'runs-')), 'text', 'L0.H0', []);

/** Puts a link to a file outside in place of a file of the run. */
function linkOut(run: string, name: string, content: string): string {
  const outside = join(mkdtempSync(join(scratch, 'outside-')), 'file');
  writeFileSync(outside, content);
  rmSync(join(run, name), { force: true });
  symlinkSync(outside, join(run, name));
  return outside;
}

describe('links out of a run folder', () => {
  it('are not followed when a run is resumed', () => {
    const run = newRun();
    const outside = linkOut(run, 'events.jsonl', 'precious, without a newline');
    expect(() => openRunFolder(run)).toThrow(/symbolic link that leads out of its folder/);
    expect(() => readRun(run)).toThrow(/symbolic link that leads out of its folder/);
    expect(readFileSync(outside, 'utf8')).toBe('precious, without a newline');
  });

  it('are not read as settings or frontier', () => {
    const run = newRun();
    linkOut(run, 'run.json', '{"task":"text","unit":"L9.H9","settings":{}}');
    linkOut(run, 'frontier.json', '[]');
    const { description, frontier, missing } = readRun(run);
    expect({ description, frontier }).toEqual({ description: null, frontier: null });
    expect(missing[0]!.sentence).toContain('leads out of its folder');
  });

  it('are not written through', () => {
    const parent = mkdtempSync(join(scratch, 'runs-'));
    const folder = createRunFolder(parent, {
      command: [],
      job: { task: 'image' },
      versions: {},
      model: null,
    });
    const outside = mkdtempSync(join(scratch, 'outside-'));
    symlinkSync(outside, join(folder.path, 'frames'));
    expect(() => folder.writeFile('frames/000000.png', 'x')).toThrow(UserError);
    folder.close();
    expect(existsSync(join(outside, '000000.png'))).toBe(false);
  });
});

describe('a run folder that is removed or moved while it is written', () => {
  it.each(['removed', 'moved'])('%s: one sentence, and the folder is not made again', async (how) => {
    const parent = mkdtempSync(join(scratch, 'runs-'));
    const folder = createRunFolder(parent, { command: [], job: { task: 'text' }, versions: {}, model: null });
    async function* run(): Run<number> {
      yield { kind: 'warning', at: 0, message: 'soon' };
      if (how === 'removed') rmSync(folder.path, { recursive: true });
      else renameSync(folder.path, `${folder.path}-elsewhere`);
      yield { kind: 'finished', at: 1, reason: 'done', result: 42 };
      return 42;
    }
    expect(() => folder.checkThere()).not.toThrow();
    const recorded = recordRun(folder, run(), () => folder.writeFrontier([]));
    await expect(finishRun(recorded)).rejects.toThrow(/was removed or moved while the run went on/);
    expect(existsSync(folder.path)).toBe(false);
  });
});

describe('logs that no run writes', () => {
  it('are refused in a sentence: a line without end, an endless log', () => {
    const run = newRun();
    const log = join(run, 'events.jsonl');
    truncateSync(log, 80 * 1024 ** 2);
    expect(() => viewRun(run)).toThrow(/a line of more than 64 MB/);
    truncateSync(log, 2 ** 40);
    expect(() => viewRun(run)).toThrow(/more than the .* MB that such a file may have/);
    rmSync(log);
    mkdirSync(log);
    expect(() => viewRun(run)).toThrow(/that is a folder, not a file/);
  });
});
