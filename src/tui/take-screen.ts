/** @file The terminal, taken for screens drawn by React, and given back. */
import { render } from 'ink';
import type { ReactElement } from 'react';
import { type ColorDepth, colorDepth } from '../media/styled.js';
import { ScreenBuffer } from './screen.js';
import { type TakenTerminal, takeTerminal } from './terminal.js';

export interface ScreenFlags {
  /** False after `--no-color`. */
  readonly color?: boolean;
  /** Sentences instead of drawn screens, what is new below what was; also by `INK_SCREEN_READER=true`. */
  readonly screenReader?: boolean;
}

/** How the user left. */
export type Leaving = 'quit' | 'interrupt';

export interface Viewer {
  /** Settles when the user leaves; rejects when a screen broke. */
  readonly left: Promise<Leaving>;
  /** Ends the viewer from outside; safe to call twice. */
  close(): void;
}

/** What screens are drawn on. */
export interface TakenScreen {
  readonly terminal: TakenTerminal;
  readonly screen: ScreenBuffer;
  readonly depth: ColorDepth;
  readonly linear: boolean;
  leave(how: Leaving): void;
  /** @param closing - is called once, before the terminal is given back */
  show(app: ReactElement, closing?: () => void): Viewer;
}

/** Takes the terminal over; both streams must be terminals. */
export function takeScreen({ color = true, screenReader }: ScreenFlags): TakenScreen {
  const { stdin, stdout, env } = process;
  const linear = screenReader ?? env.INK_SCREEN_READER === 'true';
  const terminal = takeTerminal(stdin, stdout, !linear);
  const screen = new ScreenBuffer(stdout, { linear });
  let leave: (how: Leaving) => void = () => undefined;
  const chosen = new Promise<Leaving>((resolve) => {
    leave = resolve;
  });
  const show = (element: ReactElement, closing?: () => void): Viewer => {
    const app = render(element, {
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
      closing?.();
      terminal.release();
    };
    // `waitUntilExit` settles by itself only when a screen throws.
    const left = Promise.race([chosen, app.waitUntilExit().then(() => 'quit' as const)]).finally(close);
    return { left, close };
  };
  const depth = linear ? 'none' : colorDepth(stdout, env, color);
  return { terminal, screen, depth, linear, leave, show };
}
