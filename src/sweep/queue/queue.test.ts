import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { queueAddress } from './address.js';
import { checkAllowed } from './allowed-job.js';
import { packRun, readPackedRun, unpackRun } from './archive.js';
import { workPlace } from './work-place.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-queue-'));
afterAll(() => rmSync(place, { recursive: true }));

describe('the address of a queue', () => {
  const of = (queue: string, env = {}) => queueAddress({ queue, name: 'sweep' }, env);

  it('has a password that is not shown', () => {
    const { shown, redis } = of('rediss://ada:p%40ss@[::1]:6380/2');
    expect(shown).toBe('rediss://[::1]:6380/2');
    expect(redis).toEqual({
      host: '::1',
      port: 6380,
      db: 2,
      username: 'ada',
      password: 'p@ss',
      tls: { servername: '::1' },
    });
    expect(of('redis://host', { SUPERSTIM_QUEUE_PASSWORD: 'secret' }).redis.password).toBe('secret');
  });

  it.each([
    'host:6379',
    'http://:secret@host',
    'redis://',
    'redis://:secret@host/a/b',
    'redis://:sec ret@:1',
  ])('refuses %s without repeating it', (queue) => {
    expect(() => of(queue)).toThrow(/^the address of a queue is redis:\/\/host:6379/);
  });

  it('takes certificates for TLS only', () => {
    const flags = { queue: 'redis://host', name: 'sweep', tlsCa: 'ca.pem' };
    expect(() => queueAddress(flags)).toThrow('--tls-ca is for an address with rediss://');
  });
});

describe('a job of a queue', () => {
  const models = join(place, 'models');
  mkdirSync(join(models, 'mine'), { recursive: true });
  writeFileSync(join(place, 'secret.txt'), 'secret');
  symlinkSync(join(place, 'secret.txt'), join(models, 'link.txt'));
  const allowed = (job: object, folder: string | null = models) =>
    checkAllowed({ task: 'text', ...('units' in job ? {} : { unit: 'L0.H0' }), ...job }, folder);

  it.each([
    {},
    { model: 'org/name' },
    { model: 'mine' },
    { calibrationText: 'texts/a.txt' },
    { unit: 'sae:books-lm#17' },
    { unit: 'sae:org/name/folder#3' },
    { task: 'image', units: ['block1_conv1:0'] },
    { task: 'atlas', units: ['L*.H*', 'sae:books-lm#0-9'] },
  ])('may name %j', async (job) => {
    await allowed(job);
  });

  it.each([
    { model: '/etc' },
    { model: '../other' },
    { model: 'link.txt' },
    { prior: 'a/../../b' },
    { policy: '/runs/1' },
    { naturalText: ['fine.txt', '/etc/passwd'] },
    { calibrationText: '../secret.txt' },
    { unit: 'L0.D:/etc/passwd#x' },
    { unit: 'L0.H0 + 2*"sae:../secret#3"' },
    { reference: 'L0.H1, sae:/secret#3' },
    { task: 'atlas', units: ['L*.H*', 'sae:/secret#*'] },
    { task: 'corpus', files: ['/etc'] },
    { task: 'image', units: ['a:0'], start: '/etc/passwd' },
    { task: 'image', units: ['a:0'], examples: '/home' },
    { task: 'image', units: ['a:0'], animation: 'a.gif' },
    { code: 'process.exit()' },
  ])('may not name %j', async (job) => {
    const refusal = /names "|not for jobs|no field "code"/;
    await expect(allowed(job)).rejects.toThrow(refusal);
    await expect(allowed(job, null)).rejects.toThrow(refusal);
  });

  it('has a folder inside the worker’s', () => {
    const queued = { sweep: 'key', folder: 'sweep', id: '0001-a', job: { task: 'text' } };
    expect(workPlace(place, queued)).toEqual({ folder: join(place, 'key'), shared: false });
    const own = join(place, 'sweep');
    mkdirSync(own);
    const file = (key: string) =>
      writeFileSync(join(own, 'sweep.json'), JSON.stringify({ version: 1, key, jobs: [] }));
    file('key');
    expect(workPlace(place, queued)).toEqual({ folder: own, shared: true });
    file('other');
    expect(workPlace(place, queued).shared).toBe(false);
  });
});

describe('a packed run', () => {
  const run = join(place, 'from', '0001-a');
  mkdirSync(join(run, 'frames'), { recursive: true });
  writeFileSync(join(run, 'events.jsonl'), '{}\n');
  writeFileSync(join(run, '.lock-1-2'), '');
  writeFileSync(join(run, 'frames', '1.png'), Uint8Array.of(1, 2));

  it('has all files but locks, and replaces what was there', () => {
    const packed = readPackedRun(packRun(join(place, 'from'), '0001-a')!);
    expect([...packed.keys()].sort()).toEqual(['0001-a/events.jsonl', '0001-a/frames/1.png']);
    const to = join(place, 'to');
    mkdirSync(join(to, '0001-a'), { recursive: true });
    writeFileSync(join(to, '0001-a', 'old'), '');
    unpackRun(packed, to, '0001-a');
    expect(existsSync(join(to, '0001-a', 'old'))).toBe(false);
    expect(readFileSync(join(to, '0001-a', 'frames', '1.png'))).toEqual(Buffer.of(1, 2));
  });

  it.each(['../x', '/x', '0002-b/x', '0001-a/../../x', '0001-a/.lock-3-4', '0002-b.json'])(
    'cannot write %s',
    (name) => {
      const to = join(place, 'safe');
      mkdirSync(to, { recursive: true });
      const packed = gzipSync(JSON.stringify({ [name]: Buffer.from('x').toString('base64') }));
      expect(() => unpackRun(readPackedRun(packed), to, '0001-a')).toThrow();
      expect(existsSync(join(place, 'x'))).toBe(false);
    },
  );

  it.each([Buffer.from('none'), gzipSync('[1]'), gzipSync(Buffer.alloc(200 * 1024 ** 2))])(
    'that is none is refused',
    (packed) => {
      expect(() => readPackedRun(packed)).toThrow('are damaged');
    },
  );
});
