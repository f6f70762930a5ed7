/** @file Sweeps through a real Redis: workers killed without warning, Redis restarted, jobs cancelled and refused. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueStatus } from '../../src/sweep/queue/queue.js';
import { readSweep, type SweepDocument } from '../../src/sweep/sweep-file.js';
import { TerminalSession } from '../../tools/terminal-session.js';
import { bin, type Ended, end, start } from '../helpers/command.js';
import { noRedis, RedisServer } from '../helpers/redis.js';
import { env, place } from '../helpers/superstim.js';
import { jobLines, logOf, outcomes, smallJobs } from '../helpers/sweeps.js';
import { Workers } from '../helpers/workers.js';

const PASSWORD = 'not-to-be-seen';

describe.skipIf(noRedis)('a queue on redis-server', () => {
  let redis: RedisServer;
  const [shared, data, kept] = ['shared', 'data', 'redis'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  beforeAll(async () => {
    for (const folder of [shared, data, kept]) mkdirSync(folder);
    writeFileSync(join(data, 'natural.txt'), 'The quick brown fox jumps over the lazy dog. '.repeat(200));
    redis = await RedisServer.start(kept, PASSWORD);
  });
  afterAll(() => redis.end());

  /** In the folder that workers are given as `--models`: names of files mean the same. */
  const run = (...flags: string[]): Promise<Ended> => end(start([bin, ...flags], env, data));
  const named = (name: string) => ['--queue', redis.address, '--name', name];
  const jobFile = (name: string, jobs: readonly object[]) => {
    const file = join(place, `${name}.jsonl`);
    writeFileSync(file, jobLines(jobs));
    return file;
  };
  const status = async (name: string): Promise<QueueStatus> => {
    const { code, stdout } = await run('sweep', '--status', ...named(name), '--json');
    // Redis may be away just now.
    return code === 0 ? (JSON.parse(stdout) as QueueStatus) : status(name);
  };
  const doneOf = (sweep: string) =>
    existsSync(join(sweep, 'sweep.json'))
      ? readSweep(sweep).jobs.filter(({ state }) => state === 'done').length
      : 0;

  // Both wait for silence most of the time, so they wait together.
  it.concurrent('loses nothing when workers are killed and Redis is restarted', async () => {
    const file = jobFile('many', smallJobs(12, 'natural.txt'));
    const [sweep, alone] = [join(shared, 'many'), join(place, 'alone')];
    const flags = [...named('many'), '--models', data, '--stalled-after', '3'];
    const workers = new Workers(flags, env);
    try {
      const collecting = run('sweep', file, ...named('many'), '--out', sweep, '--json');
      for (let i = 0; i < 3; i++) workers.add(shared);
      for (const after of [2, 4]) {
        while (doneOf(sweep) < after) await sleep(50);
        workers.add(workers.kill(Math.floor(Math.random() * 3)));
        if (after === 4) {
          await redis.end();
          await sleep(300);
          await redis.begin();
        }
      }
      let ended = await collecting;
      // On a machine that hardly runs, a job may have been taken over once too often: the same command tries it again.
      for (let left = 2; left > 0 && ended.code === 1; left--)
        ended = await run('sweep', file, ...named('many'), '--out', sweep, '--json');
      const { jobs } = JSON.parse(ended.stdout) as SweepDocument;
      expect(jobs.map(({ state, error }) => [state, error])).toEqual(jobs.map(() => ['done', null]));
    } finally {
      await workers.stop();
    }
    await run('sweep', file, '--out', alone);
    const expected = outcomes(alone);
    const found = outcomes(sweep);
    expect(found.map(({ ends }) => ends)).toEqual(found.map(() => 1));
    expect(found).toEqual(expected);
    expect(await status('many')).toMatchObject({ counts: { waiting: 0, active: 0, failed: 0 } });
  });

  it.concurrent('hands back through the queue what workers of other machines found, and takes from one that hangs', async () => {
    const [job] = smallJobs(1, 'natural.txt', 100_000);
    const [sweep, first, second] = ['handed', 'first', 'second'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ];
    const workers = new Workers([...named('handed'), '--stalled-after', '2'], env);
    try {
      await run('sweep', jobFile('handed', [job!]), ...named('handed'), '--out', sweep, '--no-wait');
      workers.add(first);
      const { key } = readSweep(sweep);
      const log = (folder: string) => logOf(join(folder, key), '0001-L0.H0');
      while ((await status('handed')).active[0]?.best == null) await sleep(100);
      // Until it was handed back: the log says when a text was found.
      await sleep(3500);
      workers.hang(0, true);
      const before = log(first);
      workers.add(second);
      while (!existsSync(join(second, key, '0001-L0.H0', 'events.jsonl'))) await sleep(50);
      while (log(second).filter((line) => line.includes('"started"')).length < 2) await sleep(50);
      expect(log(second).slice(0, 3)).toEqual(before.slice(0, 3));
      const cancelled = await run('sweep', '--cancel', ...named('handed'));
      expect(cancelled).toMatchObject({ code: 0, stderr: '1 job cancelled\n' });
      const { stdout } = await run('sweep', sweep, ...named('handed'), '--json');
      expect((JSON.parse(stdout) as SweepDocument).jobs[0]!.state).toBe('cancelled');
      expect(logOf(sweep, '0001-L0.H0')).toEqual(log(second));
      // It hears that others had its job, leaves it to them, and works on.
      workers.kill(1);
      workers.hang(0, false);
      const score = { task: 'score', units: ['L0.H0'], text: 'What?', raw: true };
      const more = [jobFile('more', [score]), ...named('handed'), '--out', join(place, 'more')];
      const { code } = await run('sweep', ...more);
      expect([code, existsSync(join(place, 'more', '0001-L0.H0.json'))]).toEqual([0, true]);
      expect(logOf(sweep, '0001-L0.H0')).toEqual(log(second));
    } finally {
      await workers.stop();
    }
  });

  it('refuses jobs that name files of the worker, and workers with other weights', async () => {
    const [job] = smallJobs(1, 'natural.txt');
    const secret = join(place, 'many.jsonl');
    const sweep = join(place, 'refused');
    const other = join(data, 'other');
    cpSync('models/books-lm', other, { recursive: true });
    const jobs = [
      { ...job, calibrationText: secret },
      { ...job, model: 'other' },
    ];
    const workers = new Workers(named('refused'), env);
    try {
      workers.add(shared);
      const ended = await run(
        'sweep',
        jobFile('refused', jobs),
        ...named('refused'),
        '--out',
        sweep,
        '--json',
      );
      const errors = (JSON.parse(ended.stdout) as SweepDocument).jobs.map(({ error }) => error);
      expect([ended.code, errors]).toEqual([
        1,
        [expect.stringContaining('lets jobs name none'), expect.stringContaining('lets jobs name none')],
      ]);
    } finally {
      await workers.stop();
    }
    const changed = join(place, 'changed');
    cpSync(other, join(changed, 'other'), { recursive: true });
    writeFileSync(
      join(changed, 'other', 'added.safetensors'),
      readFileSync(join(other, 'model.safetensors')),
    );
    await run(
      'sweep',
      jobFile('weights', [jobs[1]!]),
      ...named('weights'),
      '--out',
      join(place, 'weights'),
      '--no-wait',
    );
    const refused = await run('worker', ...named('weights'), '--models', changed, '--out', shared);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not the one of the sweep'),
    });
    expect(await status('weights')).toMatchObject({ counts: { waiting: 1, failed: 0 } });
  });

  it('is watched in the terminal, and paused from there', async () => {
    const session = new TerminalSession(['view', ...named('weights')]);
    await session.sees('1 waiting');
    session.type('p');
    await session.sees('paused');
    expect(await status('weights')).toMatchObject({ paused: true });
    session.type('q');
    expect(await session.ended).toBe(0);
    const printed = await run('view', ...named('weights'));
    expect(printed.stdout).toMatch(
      /^queue weights at redis:\/\/127\.0\.0\.1:\d+\/0, paused: 0 workers\n1 waiting, /,
    );
  });

  it('shows its password nowhere', async () => {
    const wrong = await run('sweep', '--status', '--queue', `redis://:wrong-one@127.0.0.1:${redis.port}`);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('refuses the password') });
    const printed = await run('sweep', '--status', ...named('many'));
    expect(printed.stdout + printed.stderr + wrong.stderr).not.toMatch(/wrong-one|not-to-be-seen/);
    const files = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.jsonl?$/.test(name),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const name of files) expect(readFileSync(join(place, name), 'utf8')).not.toContain(PASSWORD);
  });
});
