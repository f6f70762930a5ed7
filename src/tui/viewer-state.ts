/** @file What every screen works with: the terminal, open runs, the explaining thread, pictures, and ways to leave. */

import type { ColorDepth } from '../media/styled.js';
import type { Graphics } from '../media/terminal-picture.js';
import type { ExplainClient } from './explain-client.js';
import { DiskRun, type RunSource } from './run-source.js';
import type { ScreenBuffer } from './screen.js';
import type { Leaving } from './take-screen.js';

export interface ViewerHost {
  readonly screen: ScreenBuffer;
  readonly depth: ColorDepth;
  readonly graphics: Graphics;
  /** Sentences for a screen reader instead of a drawn screen. */
  readonly linear: boolean;
  readonly explain: ExplainClient;
  /** The folder whose runs are listed. */
  readonly folder: string;
  /** Ends the viewer. @param how - `interrupt` = Ctrl-C */
  leave(how: Leaving): void;
  /** Gives the terminal back until the shell wakes us. */
  suspend(): void;
}

/** A viewer keeps what was opened, so that going back and forth costs nothing. */
export class ViewerState {
  /** What the screen that is shown does with a key. */
  act: (key: string, input: string) => void = () => undefined;
  private readonly runs = new Map<string, RunSource>();
  private readonly keys: [key: string, input: string][] = [];

  constructor(
    readonly host: ViewerHost,
    live: RunSource | null,
  ) {
    if (live) this.runs.set(live.path, live);
  }

  /** @throws UserError when there is no such run */
  open(path: string): RunSource {
    const known = this.runs.get(path);
    if (known) return known;
    const run = new DiskRun(path);
    this.runs.set(path, run);
    return run;
  }

  /** Keys that come together are done one after the other, each on the screen that the one before it made. */
  press(key: string, input: string): void {
    this.keys.push([key, input]);
    if (this.keys.length === 1) this.pressNext();
  }

  private pressNext(): void {
    this.act(...this.keys[0]!);
    const next = () => {
      this.keys.shift();
      if (this.keys.length > 0) this.pressNext();
    };
    // React draws in the immediate after this one.
    setImmediate(() => setImmediate(next));
  }

  close(): void {
    for (const run of this.runs.values()) run.close();
    this.host.explain.dispose();
  }
}
