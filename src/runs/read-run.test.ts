import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { description, finished, scored, warning } from '../../test/helpers/run-events.js';
import { lastOf } from '../core/last-of.js';
import { encodeDescription } from './description.js';
import { encodeEvent } from './event-codec.js';
import { followRun, readRun } from './read-run.js';
import { createRunFolder, openRunFolder } from './run-folder.js';
import { RunTail } from './run-tail.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-runs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newParent = () => mkdtempSync(join(scratch, 'parent-'));

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
