/** @file Ctrl-C: once stops between two steps and keeps what was found, twice ends the program. */
import { exitCodes, UserError } from '../core/errors.js';
import { leave } from './leave.js';
import type { Output } from './output.js';

/** The reason of the signal, and what work throws that has nothing to keep. Exit code 130. */
export class Interrupted extends UserError {
  override name = 'Interrupted';
  override readonly exitCode = exitCodes.interrupted;

  constructor() {
    super('interrupted');
  }
}

/**
 * Does work that Ctrl-C can stop. The first Ctrl-C aborts the signal and sets exit code 130; work then comes to an
 * end by itself with what it has, which is returned as usual. The second exits at once.
 *
 * @throws Interrupted when the work gave up on the signal instead
 */
export async function withInterrupt<T>(
  output: Output,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) {
      output.status(null);
      void leave(exitCodes.interrupted);
      return;
    }
    process.exitCode = exitCodes.interrupted;
    output.say('Stopping after this step and keeping what was found; Ctrl-C again to quit at once.');
    controller.abort(new Interrupted());
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    const gaveUp = controller.signal.aborted && error instanceof Error && error.name === 'AbortError';
    throw gaveUp ? controller.signal.reason : error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
