/** @file A queue, live. */
import { Box, Text, useInput } from 'ink';
import { useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { palette } from '../../media/color.js';
import { type ColorDepth, encodeLine, fitLine, type Line, lineText } from '../../media/styled.js';
import type { QueueStatus } from '../../sweep/queue/queue.js';
import { drawQueue } from '../draw/queue.js';
import { useWindowSize } from '../hooks.js';
import type { ScreenBuffer } from '../screen.js';
import type { Leaving } from '../take-screen.js';
import { FOOTER_ROWS } from './Screen.js';

const LOOK_EVERY = 1000;

/** What the screen needs of a queue. */
export interface WatchedQueue {
  status(): Promise<QueueStatus>;
  pause(paused: boolean): Promise<void>;
}

export interface QueueScreenProps {
  readonly queue: WatchedQueue;
  readonly first: QueueStatus;
  readonly screen: ScreenBuffer;
  readonly depth: ColorDepth;
  /** For screen readers: lines for Ink to print. */
  readonly linear: boolean;
  readonly leave: (how: Leaving) => void;
}

export function QueueScreen({ queue, first, screen, depth, linear, leave }: QueueScreenProps) {
  const [status, setStatus] = useState(first);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { columns, rows } = useWindowSize(screen);
  const look = useCallback(async () => {
    // A Redis that is away is waited for: until then what is seen is old.
    const late = setTimeout(() => setTrouble('the Redis does not answer; waiting for it'), 2 * LOOK_EVERY);
    try {
      setStatus(await queue.status());
      setTrouble(null);
    } catch (error) {
      setTrouble(String(error));
    } finally {
      clearTimeout(late);
    }
  }, [queue]);
  useEffect(() => {
    let timer: NodeJS.Timeout;
    const again = () => {
      timer = setTimeout(() => void look().then(again), LOOK_EVERY);
    };
    again();
    return () => clearTimeout(timer);
  }, [look]);
  useInput((input, key) => {
    if (key.ctrl && input === 'c') leave('interrupt');
    else if (input === 'q' || key.escape) leave('quit');
    else if (input === 'p') void queue.pause(!status.paused).then(look);
  });
  const keys: Line = [
    { text: 'p', bold: true },
    { text: status.paused ? ' continue   ' : ' pause   ', color: palette.muted },
    { text: 'q', bold: true },
    { text: ' leave', color: palette.muted },
  ];
  const lines = [
    ...drawQueue({ status, trouble, columns, rows: rows - FOOTER_ROWS }),
    fitLine(keys, columns),
  ];
  useLayoutEffect(() => {
    if (!linear) screen.show(lines.map((line) => encodeLine(line, depth)));
  });
  if (!linear) return null;
  return (
    <Box flexDirection="column">
      {lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name, and none keeps a state
        <Text key={i}>{lineText(line).trimEnd()}</Text>
      ))}
    </Box>
  );
}
