/** @file Opens the terminal UI on the terminal. */
import { createElement } from 'react';
import { graphicsOf } from '../media/terminal-picture.js';
import { ExplainClient } from './explain-client.js';
import { startAt, type ViewPlace } from './places.js';
import type { RunSource } from './run-source.js';
import { App } from './screens/App.js';
import { type ScreenFlags, takeScreen, type Viewer } from './take-screen.js';
import { ViewerState } from './viewer-state.js';

export interface ViewerOptions extends ScreenFlags {
  readonly start: readonly [ViewPlace, ...ViewPlace[]];
  /** The folder whose runs are listed. */
  readonly folder: string;
  /** A run of this process. */
  readonly live?: RunSource;
}

/** Takes the terminal over; both streams must be terminals. */
export function openViewer({ start, folder, live, ...options }: ViewerOptions): Viewer {
  const { terminal, screen, depth, linear, leave, show } = takeScreen(options);
  const suspend = () => {
    screen.pause(true);
    terminal.restore();
    process.once('SIGCONT', () => {
      terminal.enter();
      process.stdin.setRawMode(true);
      screen.pause(false);
    });
    process.kill(process.pid, 'SIGTSTP');
  };
  const viewer = new ViewerState(
    {
      screen,
      depth,
      graphics: linear ? 'blocks' : graphicsOf(process.env),
      linear,
      explain: new ExplainClient(),
      folder,
      leave,
      suspend,
    },
    live ?? null,
  );
  return show(createElement(App, { viewer, start: startAt(...start) }), () => viewer.close());
}
