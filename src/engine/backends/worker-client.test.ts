import { describe, expect, it } from 'vitest';
import type { WorkerRequest } from './messages.js';
import { WorkerClient } from './worker-client.js';

const workerOf = (code: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${code}`)}`,
  );
const request = { kind: 'forget', set: 1 } as const;

describe('WorkerClient', () => {
  it('rejects what a worker that exits leaves unanswered, and whatever is asked later', async () => {
    const client = new WorkerClient(workerOf(`parentPort.on('message', () => process.exit(3));`));
    const sentence = 'the thread that computes ended (exit code 3) before it answered';
    await expect(Promise.all([client.ask(request, []), client.ask(request, [])])).rejects.toThrow(sentence);
    await expect(client.ask(request, [])).rejects.toThrow(sentence);
    await client.end();
  });

  it('rejects with the error of a worker that throws', async () => {
    const client = new WorkerClient(
      workerOf(`parentPort.on('message', () => { throw new Error('broken'); });`),
    );
    await expect(client.ask(request, [])).rejects.toThrow('broken');
    await expect(client.ask(request, [])).rejects.toThrow('broken');
  });

  it('rejects what waits for a program that is abandoned, and nothing else', async () => {
    const client = new WorkerClient(
      workerOf(`parentPort.on('message', ({ id, request }) => {
        if (request.kind === 'forget') parentPort.postMessage({ id, outputs: {} });
      });`),
    );
    const loading = client.ask({ kind: 'load' } as WorkerRequest, []);
    const forgetting = client.ask(request, []);
    client.abandonLoads(new Error('stopped'));
    await expect(loading).rejects.toThrow('stopped');
    expect(await forgetting).toEqual({});
  });
});
