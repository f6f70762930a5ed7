/** @file Opens the terminal UI on the terminal, and gives the terminal back. */

import { render } from 'ink';
import { createElement } from 'react';
import { colorDepth } from '../media/styled.js';
import { graphicsOf } from '../media/terminal-picture.js';
import { ExplainClient } from './explain-client.js';
import { startAt, type ViewPlace } from './places.js';
import type { RunSource } from './run-source.js';
import { ScreenBuffer } from './screen.js';
import { App } from './screens/App.js';
import { Session } from './session.js';
import { takeTerminal } from './terminal.js';

export interface ViewerOptions {
  readonly start: readonly [ViewPlace, ...ViewPlace[]];
  /** The folder whose runs are listed. */
  readonly folder: string;
  /** A run of this process. */
  readonly live?: RunSource;
  /** False after `--no-color`. */
  readonly color?: boolean;
  /** Sentences instead of drawn screens, also by `INK_SCREEN_READER=true`. */
  readonly screenReader?: boolean;
}

export interface Viewer {
  /** Settles when the user leaves; rejects when a screen broke. */
  readonly left: Promise<'quit' | 'interrupt'>;
  /** Ends the viewer from outside; safe to call twice. */
  close(): void;
}

/** Takes the terminal over; both streams must be terminals. */
export function openViewer({ start, folder, live, color = true, screenReader }: ViewerOptions): Viewer {
  const { stdin, stdout, env } = process;
  const linear = screenReader ?? env.INK_SCREEN_READER === 'true';
  const terminal = takeTerminal(stdin, stdout, !linear);
  const screen = new ScreenBuffer(stdout, { linear });
  let leave: (how: 'quit' | 'interrupt') => void = () => undefined;
  const chosen = new Promise<'quit' | 'interrupt'>((resolve) => {
    leave = resolve;
  });
  const suspend = () => {
    screen.pause(true);
    terminal.restore();
    process.once('SIGCONT', () => {
      terminal.enter();
      stdin.setRawMode(true);
      screen.pause(false);
    });
    process.kill(process.pid, 'SIGTSTP');
  };
  const session = new Session(
    {
      screen,
      depth: linear ? 'none' : colorDepth(stdout, env, color),
      graphics: linear ? 'blocks' : graphicsOf(env),
      linear,
      explain: new ExplainClient(),
      folder,
      leave,
      suspend,
    },
    live ?? null,
  );
  const app = render(createElement(App, { session, start: startAt(...start) }), {
    // Every frame whole and at once: `ScreenBuffer` finds out what changed and when to write it.
    debug: true,
    stdout: screen as unknown as NodeJS.WriteStream,
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: linear,
  });
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    screen.close();
    app.unmount();
    session.close();
    terminal.release();
  };
  // `waitUntilExit` settles by itself only when a screen throws.
  const left = Promise.race([chosen, app.waitUntilExit().then(() => 'quit' as const)]).finally(close);
  return { left, close };
}
