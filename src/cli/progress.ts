/** @file The progress bar: a reader of run events that draws one line on stderr, where that is a terminal. */
import { renameFields } from '../core/field.js';
import type { Run } from '../runs/events.js';
import { optionOf } from './option-names.js';
import type { Output } from './output.js';

/** Milliseconds between two drawings. */
const redrawEvery = 100;

/**
 * Shows a run on the status line while its events pass through. Off a terminal only warnings are shown. The line
 * is gone when the run ends, however it ends.
 */
export async function* showProgress<Result>(run: Run<Result>, output: Output): Run<Result> {
  try {
    // Loaded where a line is drawn: --help must not wait for it.
    const line = output.interactive ? await import('./progress-line.js') : null;
    let state = line?.noProgress;
    let drawnAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      const next = await run.next();
      if (next.done) return next.value;
      if (next.value.kind === 'warning') output.warn(renameFields(next.value.message, optionOf));
      if (line && state) {
        state = line.advance(state, next.value);
        if (performance.now() - drawnAt >= redrawEvery) {
          drawnAt = performance.now();
          output.status(line.formatProgress(state, output.statusWidth));
        }
      }
      yield next.value;
    }
  } finally {
    await run.return(undefined as Result);
    output.status(null);
  }
}
