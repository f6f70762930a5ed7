/** @file Shows a queue on the terminal until the user leaves. */
import { createElement } from 'react';
import { type Leaving, openScreen, type ScreenOptions } from './open-screen.js';
import { QueueScreen, type WatchedQueue } from './screens/QueueScreen.js';

/** Takes the terminal over; both streams must be terminals. */
export async function viewQueue(queue: WatchedQueue, options: ScreenOptions): Promise<Leaving> {
  const first = await queue.status();
  const { screen, depth, linear, leave, show } = openScreen(options);
  return show(createElement(QueueScreen, { queue, first, screen, depth, linear, leave })).left;
}
