import { expect, it } from 'vitest';
import { formatFrame } from './frame-report.js';

it.each([
  [{ bos: 'auto', chat: null, before: ['<s>'], after: [] }, 'read behind "<s>" (BOS auto)'],
  [
    { bos: 'never', chat: 'user', before: ['say', ': '], after: ['\n', '</s>'] },
    'read behind "say: ", before "\\n</s>" (BOS never, the user\'s turn of a conversation)',
  ],
])('a frame is one line: %o', (frame, line) => {
  expect(formatFrame(frame)).toBe(line);
});
