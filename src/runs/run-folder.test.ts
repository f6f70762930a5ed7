import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { collect, description, finished, scored, warning } from '../../test/helpers/run-events.js';
import { UserError } from '../core/errors.js';
import type { Run } from './events.js';
import { readRun } from './read-run.js';
import { createRunFolder, recordRun, safeFileName } from './run-folder.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-runs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newParent = () => mkdtempSync(join(scratch, 'parent-'));

describe('createRunFolder', () => {
  it('writes what was asked, under a name made of time and unit', () => {
    const folder = createRunFolder(newParent(), description, new Date(2025, 0, 31, 9, 5, 7));
    folder.close();
    expect(folder.path).toMatch(/[/\\]20250131-090507-L2\.H3$/);
    const { run, ...job } = JSON.parse(readFileSync(join(folder.path, 'run.json'), 'utf8'));
    const { created, ...rest } = run;
    expect({ job, ...rest }).toEqual(description);
    expect(Number.isNaN(Date.parse(created))).toBe(false);
    expect(readdirSync(folder.path).sort()).toEqual(['events.jsonl', 'run.json']);
  });

  it('never shares a folder between runs of the same second', () => {
    const parent = newParent();
    const now = new Date(2025, 0, 1);
    const paths = [1, 2, 3].map(() => {
      const folder = createRunFolder(parent, description, now);
      folder.close();
      return folder.path;
    });
    expect(new Set(paths).size).toBe(3);
  });

  it('refuses a place where no folder can be, in one sentence', () => {
    const file = join(newParent(), 'file');
    writeFileSync(file, '');
    expect(() => createRunFolder(file, description)).toThrow(UserError);
    expect(() => createRunFolder(join(file, 'deeper'), description)).toThrow(/could not make the folder/);
  });

  it.skipIf(process.platform !== 'linux')(
    'refuses a folder that even root cannot write (needs /proc)',
    () => {
      expect(() => createRunFolder('/proc/runs', description)).toThrow(
        'could not make the folder /proc/runs: ',
      );
    },
  );

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'refuses a read-only folder (needs a user other than root)',
    () => {
      const parent = newParent();
      chmodSync(parent, 0o555);
      expect(() => createRunFolder(parent, description)).toThrow(/permission denied/);
    },
  );
});

describe('safeFileName', () => {
  it('keeps unit names readable', () => {
    expect(
      ['L5.H1', 'L3.N1000:pre', 'logit: Paris', 'block4_conv1:4@7,7', 'logit: café'].map(safeFileName),
    ).toEqual(['L5.H1', 'L3.N1000-pre', 'logit-Paris', 'block4_conv1-4-7-7', 'logit-cafe']);
  });

  it('gives one harmless path part for any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        expect(safeFileName(name)).toMatch(/^[A-Za-z0-9_]([A-Za-z0-9._-]{0,58}[A-Za-z0-9_])?$/);
      }),
    );
  });
});

describe('RunFolder', () => {
  it('replaces files whole and leaves nothing else behind', () => {
    const folder = createRunFolder(newParent(), description);
    folder.writeFrontier([]);
    folder.writeFrontier([scored]);
    folder.writeFile('frames/000010.png', new Uint8Array([1, 2]));
    folder.close();
    expect(JSON.parse(readFileSync(join(folder.path, 'frontier.json'), 'utf8'))).toEqual([scored]);
    expect(readdirSync(join(folder.path, 'frames'))).toEqual(['000010.png']);
    expect(readdirSync(folder.path).some((name) => name.endsWith('.tmp'))).toBe(false);
  });

  it('does not write outside of itself', () => {
    const folder = createRunFolder(newParent(), description);
    expect(() => folder.writeFile('../outside.txt', '')).toThrow(/outside/);
    folder.close();
  });
});

describe('recordRun', () => {
  it('passes events and result through, and the folder replays them', async () => {
    const folder = createRunFolder(newParent(), description);
    async function* run(): Run<string> {
      yield warning(1);
      yield finished;
      return 'result';
    }
    const kept: unknown[] = [];
    const recorded = recordRun(folder, run(), (result) => kept.push(result, readRun(folder.path).state));
    const { events, result } = await collect(recorded);
    expect(result).toBe('result');
    // Before the log says that the run is done.
    expect(kept).toEqual(['result', 'open']);
    expect(readRun(folder.path)).toMatchObject({ events, state: 'done', missing: [] });
    expect(events).toEqual([warning(1), finished]);
    expect(() => folder.append(warning(2))).toThrow(/closed/);
  });

  it('has an event on disk before it hands it on', async () => {
    const folder = createRunFolder(newParent(), description);
    async function* run(): Run {
      for (let at = 0; at < 5; at++) yield warning(at);
    }
    let count = 0;
    for await (const event of recordRun(folder, run())) {
      count++;
      const { events } = readRun(folder.path);
      expect(events).toHaveLength(count);
      expect(events.at(-1)).toEqual(event);
    }
  });

  it('writes an error as the last event and throws it on', async () => {
    const folder = createRunFolder(newParent(), description);
    // biome-ignore lint/correctness/useYield: it fails first
    async function* run(): Run {
      throw new UserError('no such unit');
    }
    await expect(collect(recordRun(folder, run()))).rejects.toThrow('no such unit');
    expect(readRun(folder.path)).toMatchObject({
      state: 'failed',
      events: [{ kind: 'failed', message: 'no such unit' }],
    });
  });

  it('closes the run and the log when the reader stops early', async () => {
    const folder = createRunFolder(newParent(), description);
    let cleaned = false;
    async function* run(): Run {
      try {
        for (let at = 0; ; at++) yield warning(at);
      } finally {
        cleaned = true;
      }
    }
    for await (const event of recordRun(folder, run())) if (event.at === 2) break;
    expect(cleaned).toBe(true);
    expect(readRun(folder.path).events).toHaveLength(3);
  });
});
