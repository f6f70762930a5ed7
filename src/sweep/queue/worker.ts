/** @file A worker: takes jobs from a queue until it is stopped. */
import { Worker } from 'bullmq';
import { MOST_ATTEMPTS } from '../run-entry.js';
import type { QueueAddress } from './address.js';
import { checkRedis, PREFIX, patient } from './connect.js';
import { JobProcessor } from './job-processor.js';
import type { JobOutcome } from './messages.js';
import { workerName } from './perform-job.js';
import { QueueStore } from './store.js';
import type { WorkerOptions } from './worker-options.js';

export interface WorkerDocument {
  readonly worker: string;
  readonly done: number;
  readonly failed: number;
}

/**
 * Works until the signal.
 *
 * @throws UserError when no Redis answers at the beginning, or the weights of a model are not those of the sweep
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerDocument> {
  const { address, signal, say } = options;
  await checkRedis(address);
  const store = new QueueStore(address);
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= worker.close();
  };
  const processor = new JobProcessor(options, store, close);
  const milliseconds = options.stalledAfter * 1000;
  const worker: Worker<unknown, JobOutcome> = new Worker<unknown, JobOutcome>(
    address.name,
    (job, token) => processor.process(worker, job, token),
    {
      connection: patient(address),
      prefix: PREFIX,
      name: workerName,
      autorun: false,
      lockDuration: milliseconds,
      stalledInterval: milliseconds,
      maxStalledCount: MOST_ATTEMPTS - 1,
    },
  );
  const outage = outageWatch(address, say);
  worker.on('error', outage.failed);
  worker.on('locksRenewed', outage.answered);
  worker.on('active', outage.answered);
  worker.on('lockRenewalFailed', (jobs) => processor.lose(jobs));
  signal.addEventListener('abort', close);
  try {
    say(`working for ${address.shown}, queue ${address.name}, as ${workerName}`);
    if (!signal.aborted) await worker.run();
    await closing;
  } finally {
    signal.removeEventListener('abort', close);
    await processor.dispose();
    store.close();
  }
  if (processor.refused) throw processor.refused;
  return { worker: workerName, ...processor.counts };
}

/** Says once that Redis is away, and once that it is back. */
function outageWatch({ shown }: QueueAddress, say: (sentence: string) => void) {
  let away = false;
  return {
    failed: ({ code, message }: NodeJS.ErrnoException) => {
      if (away || !(code?.startsWith('E') || /Connection is closed/.test(message))) return;
      away = true;
      say(`the Redis at ${shown} does not answer (${code ?? 'connection closed'}); waiting for it`);
    },
    answered: () => {
      if (away) say(`the Redis at ${shown} answers again`);
      away = false;
    },
  };
}
