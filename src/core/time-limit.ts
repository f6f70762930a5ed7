/** @file A time limit for code that a file from outside makes run for ever: a catastrophic regular expression, mostly. */
import { createContext, Script } from 'node:vm';

const context = createContext({ body: null });
const script = new Script('body()');

/**
 * Runs a synchronous function, and interrupts it when it takes too long, also within one regular expression. A call costs
 * a tenth of a millisecond. What the function changes may be half changed when it is interrupted.
 *
 * @param late - makes the error that is thrown then
 */
export function withTimeLimit<T>(milliseconds: number, body: () => T, late: () => Error): T {
  const outer = context.body;
  context.body = body;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw late();
    throw error;
  } finally {
    context.body = outer;
  }
}
