import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.js';
import { lastOf } from '../core/last-of.js';
import type { ScoredText } from '../core/scored-text.js';
import { encodeDescription, type RunDescription } from './description.js';
import { encodeEvent } from './event-codec.js';
import { finishRun, type Run, type RunEvent } from './events.js';
import { followRun, readRun } from './read-run.js';
import { createRunFolder, openRunFolder, recordRun, safeFileName } from './run-folder.js';
import { RunTail } from './run-tail.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-runs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newParent = () => mkdtempSync(join(scratch, 'parent-'));

const description: RunDescription = {
  command: ['superstim', 'text', '--unit', 'L2.H3'],
  job: { version: 1, task: 'text', unit: 'L2.H3', length: 12, seed: 7 },
  versions: { superstimulus: '0.1.0' },
  model: { name: 'stories260k', hash: 'abc' },
};
const warning = (at: number, message = `at ${at}`): RunEvent => ({ kind: 'warning', at, message });
const finished: RunEvent = { kind: 'finished', at: 9, reason: 'done', result: null };
const scored: ScoredText = {
  text: 'Once',
  token_ids: [5],
  cross_entropy: 2,
  raw: 1,
  z: 3,
  margin: null,
  rank: null,
};

async function collect<Result>(run: AsyncGenerator<RunEvent, Result, void>) {
  const events: RunEvent[] = [];
  const result = await finishRun(run, (event) => events.push(event));
  return { events, result };
}

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

describe('a run cut off anywhere', () => {
  const events = [
    warning(1, 'ünïcödé 😀'),
    { kind: 'candidate', source: 'search', at: 2, candidate: scored, operator: 'swap' } as const,
    warning(3),
  ];
  const log = Buffer.from(events.map((event) => `${encodeEvent(event)}\n`).join(''));

  it('reads as the events that were whole, and can be continued', () => {
    for (let size = 0; size <= log.length; size++) {
      const folder = createRunFolder(newParent(), description);
      folder.close();
      const file = join(folder.path, 'events.jsonl');
      writeFileSync(file, log);
      truncateSync(file, size);
      const whole = log.subarray(0, size).filter((byte) => byte === 0x0a).length;
      const torn = size > 0 && log[size - 1] !== 0x0a;

      const reading = readRun(folder.path);
      expect(reading.events).toEqual(events.slice(0, whole));
      expect(reading.state).toBe('open');
      expect(reading.missing.some(({ sentence }) => sentence.includes('cut off'))).toBe(torn);

      const again = openRunFolder(folder.path);
      expect(again.elapsed).toBe(events[whole - 1]?.at ?? 0);
      again.append(finished);
      again.close();
      expect(readRun(folder.path).events).toEqual([...events.slice(0, whole), finished]);
    }
  });

  it('is followed piece by piece, wherever the pieces end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: log.length })), (cuts) => {
        const path = newParent();
        const file = join(path, 'events.jsonl');
        writeFileSync(file, '');
        const tail = new RunTail(path);
        const ends = [...cuts.sort((a, b) => a - b), log.length];
        let start = 0;
        const seen = ends.flatMap((end) => {
          appendFileSync(file, log.subarray(start, end));
          start = end;
          return [...tail.poll()];
        });
        expect(seen).toEqual(events);
        expect(tail.problems()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('follows a continued run past the torn line that was removed', () => {
    const path = newParent();
    const file = join(path, 'events.jsonl');
    writeFileSync(file, log.subarray(0, log.length - 4));
    const tail = new RunTail(path);
    expect([...tail.poll()]).toHaveLength(2);
    const again = openRunFolder(path);
    // A look between the cut and the next event, and one after it.
    expect([...tail.poll()]).toEqual([]);
    again.append(finished);
    again.close();
    expect([...tail.poll()]).toEqual([finished]);
    expect(tail.problems()).toEqual([]);
  });

  it('survives a real kill in the middle of writing', async () => {
    const source = new URL('run-folder.ts', import.meta.url);
    const parent = newParent();
    const script = `
      const { createRunFolder } = await import(${JSON.stringify(source.href)});
      const folder = createRunFolder(${JSON.stringify(parent)}, ${JSON.stringify(description)});
      console.log(folder.path);
      for (let at = 0; ; at++) {
        folder.append({ kind: 'warning', at, message: 'x'.repeat(at % 5000) });
        if (at % 50 === 0) folder.writeFrontier(Array(at % 300).fill(${JSON.stringify(scored)}));
      }`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const path = await new Promise<string>((resolve) =>
      child.stdout.once('data', (bytes) => resolve(String(bytes).trim())),
    );
    await new Promise((resolve) => setTimeout(resolve, 150));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;

    const reading = readRun(path);
    expect(reading.events.length).toBeGreaterThan(50);
    expect(reading.events.every((event, index) => event.at === index)).toBe(true);
    expect(reading.description?.job.unit).toBe('L2.H3');
    expect(reading.frontier).not.toBeNull();
    expect(reading.missing.filter(({ sentence }) => sentence.includes('damaged'))).toEqual([]);
  });
});

describe('readRun', () => {
  it('says what is missing, and reads the rest', () => {
    const path = newParent();
    const lines = [
      '{"kind":"started","at":0,"task":"text","unit":"L2.H3","method":"epo"}',
      'not json',
      '{"kind":"hologram","at":1}',
      encodeEvent({ kind: 'frame', at: 2, file: 'frames/1.png', step: 1, activation: 3 }),
      encodeEvent({ kind: 'candidate', source: 'search', at: 2, candidate: scored, operator: 'swap' }),
      encodeEvent(finished),
    ];
    writeFileSync(join(path, 'events.jsonl'), `${lines.join('\n')}\n{"kind":"warn`);
    writeFileSync(join(path, 'frontier.json'), '{"not":"a list"}');
    const reading = readRun(path);
    expect(reading.events.map((event) => event.kind)).toEqual([
      'started',
      'unknown',
      'frame',
      'candidate',
      'finished',
    ]);
    expect(reading).toMatchObject({ state: 'done', description: null, frontier: null });
    expect(reading.missing.map(({ sentence }) => sentence)).toEqual([
      'run.json is missing: the settings of this run are not known',
      'the last line of events.jsonl was cut off and is left out',
      'events.jsonl has 1 damaged line(s), left out',
      'events of unknown kind ("hologram") are not shown; a newer superstim wrote them',
      'frontier.json is not what it should be',
      '1 of 1 frames are missing, the first frames/1.png',
    ]);
  });

  it('reads a folder that has only begun', () => {
    const path = newParent();
    writeFileSync(join(path, 'run.json'), encodeDescription(description));
    expect(readRun(path)).toMatchObject({
      events: [],
      state: 'open',
      lastWrite: null,
      missing: [{ code: 'log', sentence: 'events.jsonl is missing: nothing is known of what happened' }],
    });
  });

  it('refuses what is no run folder', () => {
    const empty = newParent();
    mkdirSync(join(empty, 'frames'));
    expect(() => readRun(empty)).toThrow(/neither run\.json nor events\.jsonl/);
    expect(() => readRun(join(empty, 'nowhere'))).toThrow(/no such folder/);
  });
});

describe('followRun', () => {
  it('gives old and new events, then the end', async () => {
    const folder = createRunFolder(newParent(), description);
    folder.append(warning(1));
    const later = setTimeout(() => {
      folder.append(warning(2));
      folder.append(finished);
    }, 40);
    const seen: unknown[] = [];
    const end = await lastOf(followRun(folder.path, { pollEvery: 5 }), (event) => seen.push(event));
    clearTimeout(later);
    folder.close();
    expect(seen).toEqual([warning(1), warning(2), finished]);
    expect(end).toBe('done');
  });

  it('stops at the signal', async () => {
    const folder = createRunFolder(newParent(), description);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const next = await followRun(folder.path, { signal: controller.signal, pollEvery: 60_000 }).next();
    folder.close();
    expect(next).toEqual({ done: true, value: 'open' });
  });
});
