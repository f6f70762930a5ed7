/** @file What a queue has beside BullMQ's own: files of runs, the hashes of models, and what was cancelled. */
import { Redis } from 'ioredis';
import type { QueueAddress } from './address.js';
import { patient } from './connect.js';

/** BullMQ's lock of a job: the key, and the token that its worker wrote there. */
export interface JobLock {
  readonly key: string;
  readonly token: string;
}

export class QueueStore {
  private readonly redis: Redis;
  private readonly keys: { readonly files: string; readonly models: string; readonly cancelled: string };

  constructor(address: QueueAddress) {
    this.redis = new Redis(patient(address));
    // Told by who else is connected; this one waits.
    this.redis.on('error', () => undefined);
    const key = (what: string) => `superstim-${what}:${address.name}`;
    this.keys = { files: key('files'), models: key('models'), cancelled: key('cancelled') };
  }

  /**
   * Keeps the packed files of a job's run.
   *
   * @returns false when another worker has the job by now: nothing is kept then
   */
  async keepFiles(job: string, packed: Buffer, { key, token }: JobLock): Promise<boolean> {
    const script = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
      redis.call('hset', KEYS[2], ARGV[2], ARGV[3])
      return 1`;
    return (await this.redis.eval(script, 2, key, this.keys.files, token, job, packed)) === 1;
  }

  filesOf(job: string): Promise<Buffer | null> {
    return this.redis.hgetBuffer(this.keys.files, job);
  }

  /** The hash that all workers must find for a model: the first one that was named. */
  async agreedHash(model: string, hash: string): Promise<string> {
    await this.redis.hsetnx(this.keys.models, model, hash);
    return (await this.redis.hget(this.keys.models, model)) ?? hash;
  }

  async cancel(jobs: readonly string[]): Promise<void> {
    if (jobs.length > 0) await this.redis.sadd(this.keys.cancelled, ...jobs);
  }

  async isCancelled(job: string): Promise<boolean> {
    return (await this.redis.sismember(this.keys.cancelled, job)) === 1;
  }

  cancelled(): Promise<string[]> {
    return this.redis.smembers(this.keys.cancelled);
  }

  /** Forgets what is kept of jobs. */
  async forget(jobs: readonly string[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.redis.hdel(this.keys.files, ...jobs);
    await this.redis.srem(this.keys.cancelled, ...jobs);
  }

  /** Also the hashes of models: the next sweep may be of other weights. */
  async forgetModels(): Promise<void> {
    await this.redis.del(this.keys.models);
  }

  close(): void {
    this.redis.disconnect();
  }
}
