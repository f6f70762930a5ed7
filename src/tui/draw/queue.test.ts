/** A queue at every size: exactly as many lines and columns as there are. */
import { expect, it } from 'vitest';
import { lineText, lineWidth } from '../../media/styled.js';
import { drawQueue } from './queue.js';

const status = {
  queue: 'redis://host:6379/0',
  name: 'sweep',
  paused: true,
  workers: 2,
  counts: { waiting: 3, delayed: 0, active: 1, completed: 4, failed: 2 },
  active: [
    { id: '0002-L2.H5', share: 0.5, note: 'auto, 1,000/2,000', best: '4.67 a\u001bb', worker: 'host:12' },
  ],
  failed: [
    { id: '0001-L9.H9', error: 'there is no such unit' },
    { id: '0003-L9.H8', error: 'nor such a one' },
  ],
};

it.each([
  [120, 36],
  [80, 24],
  [40, 10],
  [10, 3],
])('fits %d x %d', (columns, rows) => {
  const lines = drawQueue({ status, trouble: null, columns, rows });
  expect(lines.map(lineWidth)).toEqual(Array(rows).fill(columns));
  const text = lines.map(lineText).join('\n');
  expect(text).not.toContain('\u001b');
  if (columns >= 80)
    for (const word of ['paused', '60 %', '4 completed', '0002-L2.H5', '50 %', '0003-L9.H8', 'no such unit'])
      expect(text).toContain(word);
});
