/** @file Shows a queue on the terminal until the user leaves. */
import { createElement } from 'react';
import { QueueScreen, type WatchedQueue } from './screens/QueueScreen.js';
import { type Leaving, type ScreenFlags, takeScreen } from './take-screen.js';

/** Takes the terminal over; both streams must be terminals. */
export async function viewQueue(queue: WatchedQueue, options: ScreenFlags): Promise<Leaving> {
  const first = await queue.status();
  const { screen, depth, linear, leave, show } = takeScreen(options);
  return show(createElement(QueueScreen, { queue, first, screen, depth, linear, leave })).left;
}
