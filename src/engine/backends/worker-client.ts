/** @file The engine's end of the worker threads: one for the process and one for half of the processor, started when first needed. */
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { UserError } from '../../core/errors.js';
import { workerFile } from '../../core/worker-file.js';
import type { ArrayValue } from './backend.js';
import type { Reply, WorkerRequest } from './messages.js';

interface Pending {
  readonly kind: WorkerRequest['kind'];
  resolve(outputs: Record<string, ArrayValue>): void;
  reject(error: unknown): void;
}

export class WorkerClient {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  /** Why the thread ended, if it has: nobody answers any more. */
  private failure: Error | undefined;
  /** Set when the worker is to end: called after the last answer. */
  private onLast: (() => void) | undefined;

  constructor(file = workerFile('engine/backends/worker.js')) {
    // The device cuda has a setting in the environment of the process.
    this.worker = new Worker(file, { env: SHARE_ENV });
    this.worker.unref();
    this.worker.on('message', (reply: Reply) => {
      const { resolve, reject } = this.pending.get(reply.id)!;
      this.pending.delete(reply.id);
      if (!this.isBusy) {
        this.worker.unref();
        this.onLast?.();
      }
      if ('error' in reply) reject(new (reply.isUsers ? UserError : Error)(reply.error));
      else resolve(reply.outputs);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', (code) => {
      const message = `the thread that computes ended (exit code ${code}) before it answered: start the command again`;
      this.fail(this.failure ?? new Error(message));
    });
  }

  private fail(error: Error): void {
    this.failure = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
    this.onLast?.();
  }

  ask(request: WorkerRequest, transfer: readonly ArrayBuffer[]): Promise<Record<string, ArrayValue>> {
    if (this.failure) return Promise.reject(this.failure);
    if (this.onLast) return new Promise(() => {});
    const id = this.nextId++;
    // The process stays alive for an answer, not for an idle worker.
    this.worker.ref();
    return new Promise((resolve, reject) => {
      this.pending.set(id, { kind: request.kind, resolve, reject });
      this.worker.postMessage({ id, request }, [...transfer]);
    });
  }

  get isBusy(): boolean {
    return this.pending.size > 0;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.onLast = resolve;
      if (!this.isBusy) resolve();
    });
  }

  abandonLoads(reason: unknown): void {
    for (const { kind, reject } of this.pending.values()) if (kind === 'load') reject(reason);
  }
}

/** Which of the worker threads: the first computes all but what is done beside it. */
export type WorkerName = 'first' | 'second';

const clients = new Map<WorkerName, WorkerClient>();

function clientOf(name: WorkerName): WorkerClient {
  const client = clients.get(name) ?? new WorkerClient();
  clients.set(name, client);
  return client;
}

/** Starts the worker thread, if it has not been, so that the first request need not wait for it. */
export function warmUp(): void {
  clientOf('first');
}

/**
 * Sends a request to a worker thread; requests are answered in order.
 *
 * @param transfer - buffers that are handed over and are empty here afterwards
 */
export function askWorker(
  worker: WorkerName,
  request: WorkerRequest,
  transfer: readonly ArrayBuffer[] = [],
): Promise<Record<string, ArrayValue>> {
  return clientOf(worker).ask(request, transfer);
}

/**
 * Lets the worker threads finish what they were asked; what they are asked from now on is never answered. For the end of the
 * program: ended in the middle of a computation, ONNX Runtime would abort the process, whatever its exit code.
 */
export async function endWorkers(): Promise<void> {
  await Promise.all([...clients.values()].map((client) => client.end()));
}

/**
 * Programs that are being compiled are not waited for any more: who asked for them gets the reason as an error. Compiling
 * cannot be stopped itself, and takes seconds for a large model.
 */
export function abandonLoads(reason: unknown): void {
  for (const client of clients.values()) client.abandonLoads(reason);
}
