/** @file A run of this process on the screen: the terminal UI as one more reader of its events. */

import type { RunDescription } from '../runs/description.js';
import type { Run } from '../runs/events.js';
import { runPlace } from './places.js';
import { LiveRun } from './run-source.js';

export interface LiveOptions {
  /** The run folder. */
  readonly path: string;
  readonly description: RunDescription;
  /** Aborted from outside: the terminal is given back at once, and nobody is waited for. */
  readonly signal: AbortSignal;
  /** Stops the run and keeps what it found. */
  readonly stop: () => void;
  readonly color?: boolean;
}

/**
 * Shows a run while its events pass through, and afterwards until the user leaves. Leaving early stops the run; Ctrl-C
 * does what it does elsewhere, on a terminal that was given back.
 */
export async function* showLive<Result>(run: Run<Result>, options: LiveOptions): Run<Result> {
  // React's other build is made for debugging and several times slower.
  process.env.NODE_ENV ??= 'production';
  const { openViewer } = await import('./viewer.js');
  const { dirname } = await import('node:path');
  const { path, description, signal, stop, color = true } = options;
  const live = new LiveRun(path, description, stop);
  const viewer = openViewer({ start: [runPlace(path)], folder: dirname(path), live, color });
  signal.addEventListener('abort', viewer.close);
  let running = true;
  const left = viewer.left.then((how) => {
    if (!running) return;
    stop();
    if (how === 'interrupt') process.emit('SIGINT', 'SIGINT');
  });
  // What a screen throws is thrown below, when the run is stopped.
  left.catch(stop);
  try {
    for (;;) {
      const next = await run.next();
      if (next.done) {
        running = false;
        live.end();
        if (!signal.aborted) await left;
        return next.value;
      }
      live.push(next.value);
      yield next.value;
    }
  } finally {
    running = false;
    signal.removeEventListener('abort', viewer.close);
    viewer.close();
    await run.return(undefined as Result);
  }
}
