/** How a run is watched, and how the program ends. */
import { constants } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { fakeStreams } from '../../test/fake-streams.js';
import { description } from '../../test/helpers/run-events.js';
import type { Run } from '../runs/events.js';
import { leave, signalCodes, stopSignals } from './leave.js';
import { Output } from './output.js';
import { watchRun } from './watch-run.js';

afterEach(() => void vi.restoreAllMocks());

it('exit codes of signals are those that a shell reports', () => {
  for (const name of stopSignals) expect(signalCodes[name]).toBe(128 + constants.signals[name]);
});

it('the program ends with its code when nothing is being computed', async () => {
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  await expect(leave(3)).rejects.toThrow('exit 3');
  await expect(leave(signalCodes.SIGINT)).rejects.toThrow('exit 130');
});

it.each([{ tui: true }, { tui: true, json: true }, {}])('off a terminal %o is the bar', async (flags) => {
  const { written, streams } = fakeStreams();
  const { signal } = new AbortController();
  const begin = async function* (given: AbortSignal): Run<boolean> {
    yield { kind: 'warning', at: 0, message: 'so it is' };
    return given === signal;
  };
  const options = { flags, output: new Output(flags, streams), signal, path: '', description };
  expect(await watchRun(begin, options)).toBe(true);
  expect(written).toEqual({ stdout: '', stderr: 'warning: so it is\n' });
});
