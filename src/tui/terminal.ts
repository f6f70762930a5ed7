/**
 * @file The terminal's modes: alternate screen, hidden cursor, raw input; left as they were found however the program
 * ends.
 */
import { writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';

const ENTER = '\x1b[?1049h\x1b[?25l';
/** Ends a frame that was cut off, drops colours, shows the cursor, goes back to the first screen. */
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1049l';

const signals = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** A terminal that was taken over. */
export interface TakenTerminal {
  /** Gives it back; safe to call twice. */
  restore(): void;
  /** Takes it again, after `restore`. */
  enter(): void;
  /** Gives it back for good. */
  release(): void;
}

/**
 * Takes the terminal over. It is given back on exit, on a crash and on signals, before anything else is written.
 *
 * @param alternate - false for screen readers: nothing is switched, only input is raw while Ink reads it
 */
export function takeTerminal(
  stdin: ReadStream,
  stdout: { readonly fd: number },
  alternate = true,
): TakenTerminal {
  let taken = false;
  // Synchronous and by number: the last thing a process does must not wait for a stream.
  const write = (text: string) => {
    try {
      if (alternate) writeSync(stdout.fd, text);
    } catch {
      // The terminal is gone; so is the need to restore it.
    }
  };
  const enter = () => {
    if (taken) return;
    taken = true;
    write(ENTER);
  };
  const restore = () => {
    if (!taken) return;
    taken = false;
    write(LEAVE);
    try {
      stdin.setRawMode(false);
    } catch {
      // As above.
    }
  };
  const onSignal = (signal: NodeJS.Signals) => {
    release();
    // Another handler of the signal ends the program in its own order.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const release = () => {
    restore();
    process.off('exit', restore);
    process.off('uncaughtExceptionMonitor', restore);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on('exit', restore);
  process.on('uncaughtExceptionMonitor', restore);
  for (const signal of signals) process.on(signal, onSignal);
  enter();
  return { restore, enter, release };
}
