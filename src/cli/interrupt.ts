/** @file Ctrl-C, SIGTERM and SIGHUP: once stops between two steps and keeps what was found, twice ends the program. */
import { exitCodes, UserError } from '../core/errors.js';
import { abandonLoads } from '../engine/backends/worker-client.js';
import { leave, type StopSignal, signalCodes, stopSignals } from './leave.js';
import type { Output } from './output.js';

/** The reason of the signal, and what work throws that has nothing to keep. */
export class Interrupted extends UserError {
  override name = 'Interrupted';

  constructor(override readonly exitCode: number = exitCodes.interrupted) {
    super('interrupted');
  }
}

/** Stops work between two steps; what is being compiled for it is not waited for. */
export function stop(controller: AbortController, reason = new Interrupted()): void {
  controller.abort(reason);
  abandonLoads(reason);
}

/**
 * Does work that Ctrl-C, SIGTERM and SIGHUP can stop. The first aborts the signal and sets its exit code; work then
 * comes to an end by itself with what it has, which is returned as usual. The second exits at once.
 *
 * @throws Interrupted when the work gave up on the signal instead
 */
export async function withInterrupt<T>(
  output: Output,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = (name: StopSignal) => {
    if (controller.signal.aborted) {
      output.status(null);
      void leave(signalCodes[name]);
      return;
    }
    process.exitCode = signalCodes[name];
    // First: who draws on the terminal gives it back.
    stop(controller, new Interrupted(signalCodes[name]));
    output.say('Stopping after this step and keeping what was found; Ctrl-C again to quit at once.');
  };
  for (const name of stopSignals) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    const gaveUp = controller.signal.aborted && error instanceof Error && error.name === 'AbortError';
    throw gaveUp ? controller.signal.reason : error;
  } finally {
    for (const name of stopSignals) process.off(name, onSignal);
  }
}
