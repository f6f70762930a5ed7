/** A signal that comes while a graph is compiled: whichever it is, what was found is the result. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { booksSession } from '../../../test/helpers/books-session.js';
import { abandonLoads, WorkerClient } from '../../engine/backends/worker-client.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { searchText } from './search.js';

const { ask } = WorkerClient.prototype;
let model: TextModel;
beforeAll(async () => {
  process.env.SUPERSTIM_CACHE = mkdtempSync(join(tmpdir(), 'superstim-'));
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
});
afterEach(() => vi.restoreAllMocks());

/** A search whose signal comes with the load of that number (0: never), and after how many its first text was found. */
async function stoppedAt(number: number) {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  let loads = 0;
  let found = 0;
  vi.spyOn(WorkerClient.prototype, 'ask').mockImplementation(function (this: WorkerClient, ...request) {
    const answer = ask.apply(this, request);
    if (request[0].kind === 'load' && ++loads === number) {
      controller.abort(reason);
      abandonLoads(reason);
    }
    return answer;
  });
  const search = searchText({
    ...booksSession(model),
    unit: 'L0.H3',
    method: 'auto',
    length: 6,
    budget: { evaluations: 500 },
    baseline: false,
    finalists: 1,
    signal: controller.signal,
  });
  const result = await finishRun(search, ({ kind }) => {
    if (kind === 'candidate') found ||= loads;
  }).catch((error) => error);
  return { result, found, loads };
}

it('ends with its result', async () => {
  const whole = await stoppedAt(0);
  const first = whole.found + 1;
  expect(whole.loads - first).toBeGreaterThan(2);
  for (let number = first; number <= whole.loads; number++) {
    const { result } = await stoppedAt(number);
    expect(result, `load ${number}`).toMatchObject({ unit: 'L0.H3' });
    expect(result.frontier.length, `load ${number}`).toBeGreaterThan(0);
  }
});
