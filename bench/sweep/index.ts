/**
 * @file Sweeps on a redis-server of this machine: what the queue itself takes, what a second worker brings, and whether
 * anything is lost when workers are killed at random.
 *
 * Usage: npx tsx bench/sweep/index.ts empty|workers|killed [ROUNDS]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { queueAddress } from '../../src/sweep/queue/address.js';
import { PREFIX, patient } from '../../src/sweep/queue/connect.js';
import { readSweep } from '../../src/sweep/sweep-file.js';
import { bin, end, start } from '../../test/helpers/command.js';
import { RedisServer } from '../../test/helpers/redis.js';
import { jobLines, logOf, outcomes, smallJobs } from '../../test/helpers/sweeps.js';
import { Workers } from '../../test/helpers/workers.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-bench-'));
const env = { SUPERSTIM_CACHE: join(place, 'cache') };
const [kept, data] = ['redis', 'data'].map((name) => join(place, name)) as [string, string];
for (const folder of [kept, data]) mkdirSync(folder);
writeFileSync(join(data, 'natural.txt'), 'The quick brown fox jumps over the lazy dog. '.repeat(200));
const redis = await RedisServer.start(kept, 'bench');
const run = (...flags: string[]) => end(start([bin, ...flags], env, data));
const named = (name: string) => ['--queue', redis.address, '--name', name];
const jobFile = (name: string, jobs: readonly object[]) => {
  writeFileSync(join(place, name), jobLines(jobs));
  return join(place, name);
};
const doneOf = (sweep: string) => {
  try {
    return readSweep(sweep).jobs.filter(({ state }) => state === 'done').length;
  } catch {
    return 0;
  }
};

/** Jobs without work a second, added and done; connected as sweeps are, to a Redis that writes everything down. */
async function empty(count = 5000): Promise<number> {
  const address = queueAddress({ queue: redis.address, name: 'empty' });
  const options = { connection: patient(address), prefix: PREFIX };
  const queue = new Queue('empty', options);
  const began = performance.now();
  for (let at = 0; at < count; at += 200)
    await queue.addBulk(Array.from({ length: 200 }, (_, i) => ({ name: 'text', data: { id: at + i } })));
  let done = 0;
  let all: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    all = resolve;
  });
  const worker = new Worker('empty', async () => void (++done === count && all()), options);
  await finished;
  const seconds = (performance.now() - began) / 1000;
  await worker.close();
  await queue.close();
  return count / seconds;
}

/** Seconds from the adding of jobs to the last result, workers being there, each with one thread. */
async function workers(count: number, jobs: readonly object[], round: number): Promise<number> {
  const name = `workers-${count}-${round}`;
  const flags = ['worker', ...named(name), '--models', '.', '--threads', '1'];
  const children = Array.from({ length: count }, () => start([bin, ...flags], env, data));
  await sleep(2500);
  const sweep = join(place, name);
  const began = performance.now();
  await run('sweep', jobFile(`${name}.jsonl`, jobs), ...named(name), '--out', sweep);
  const seconds = (performance.now() - began) / 1000;
  for (const child of children) child.kill('SIGKILL');
  if (doneOf(sweep) !== jobs.length) throw new Error(`${sweep} is not done`);
  return seconds;
}

/** 60 jobs, 3 workers, one killed after every sixth result. */
async function killed(): Promise<void> {
  const [sweep, alone] = [join(place, 'many'), join(place, 'alone')];
  const file = jobFile('many.jsonl', smallJobs(60, 'natural.txt', 1000));
  const group = new Workers([...named('many'), '--models', data, '--stalled-after', '3'], env);
  const collecting = run('sweep', file, ...named('many'), '--out', sweep);
  for (let i = 0; i < 3; i++) group.add(place);
  let kills = 0;
  for (let after = 6; after < 60; after += 6) {
    while (doneOf(sweep) < after) await sleep(50);
    await sleep(Math.random() * 500);
    group.add(group.kill(Math.floor(Math.random() * 3)));
    kills++;
    if (after !== 30) continue;
    await redis.end();
    await redis.begin();
  }
  const { code } = await collecting;
  await group.stop();
  await run('sweep', file, '--out', alone);
  const [found, expected] = [outcomes(sweep), outcomes(alone)];
  const equal = found.filter((one, i) => isDeepStrictEqual(one, expected[i])).length;
  const begun = (id: string) => logOf(sweep, id).filter((line) => line.includes('"started"')).length;
  const resumed = found.filter(({ id }) => begun(id) > 1).length;
  const once = found.filter(({ ends }) => ends === 1).length;
  console.log(JSON.stringify({ code, kills, done: doneOf(sweep), once, equal, resumed }));
}

try {
  if (argv[2] === 'empty') for (let i = 0; i < 3; i++) console.log(await empty());
  if (argv[2] === 'workers') {
    const jobs = smallJobs(12, 'natural.txt', 1500);
    const rounds = Number(argv[3] ?? 2);
    for (let i = 0; i < rounds; i++) console.log(await workers(1, jobs, i), await workers(2, jobs, i));
  }
  if (argv[2] === 'killed') await killed();
} finally {
  await redis.end();
  rmSync(place, { recursive: true, force: true });
}
process.exit();
