/** @file Shows a queue on the terminal until the user leaves. */
import { render } from 'ink';
import { createElement } from 'react';
import { colorDepth } from '../media/styled.js';
import { ScreenBuffer } from './screen.js';
import { QueueScreen, type WatchedQueue } from './screens/QueueScreen.js';
import { takeTerminal } from './terminal.js';

export interface QueueViewerOptions {
  /** False after `--no-color`. */
  readonly color?: boolean;
  /** Prints what is new below what was, also by `INK_SCREEN_READER=true`. */
  readonly screenReader?: boolean;
}

/** Takes the terminal over; both streams must be terminals. */
export async function viewQueue(
  queue: WatchedQueue,
  { color = true, screenReader }: QueueViewerOptions,
): Promise<'quit' | 'interrupt'> {
  const first = await queue.status();
  const { stdin, stdout, env } = process;
  const linear = screenReader ?? env.INK_SCREEN_READER === 'true';
  const terminal = takeTerminal(stdin, stdout, !linear);
  const screen = new ScreenBuffer(stdout, { linear });
  let leave: (how: 'quit' | 'interrupt') => void = () => undefined;
  const chosen = new Promise<'quit' | 'interrupt'>((resolve) => {
    leave = resolve;
  });
  const depth = linear ? 'none' : colorDepth(stdout, env, color);
  const app = render(createElement(QueueScreen, { queue, first, screen, depth, linear, leave }), {
    // As in `openViewer`; the screen hands its lines over itself.
    debug: true,
    stdout: screen as unknown as NodeJS.WriteStream,
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: linear,
  });
  try {
    return await Promise.race([chosen, app.waitUntilExit().then(() => 'quit' as const)]);
  } finally {
    screen.close();
    app.unmount();
    terminal.release();
  }
}
