import { describe, expect, it } from 'vitest';
import { counted, formatBytes, formatCount, formatSeconds } from './format.js';
import { formatTable } from './table.js';

describe('quantities', () => {
  it('have the plural of all but one', () => {
    expect([0, 1, 2, 8432].map((count) => counted(count, 'text'))).toEqual([
      '0 texts',
      '1 text',
      '2 texts',
      '8,432 texts',
    ]);
  });

  it('read as people write them', () => {
    expect([0, 7, 0.12345, 2.34567, 999.9, 8432.4, 20000].map(formatCount)).toEqual([
      '0',
      '7',
      '0.123',
      '2.35',
      '1,000',
      '8,432',
      '20,000',
    ]);
    expect([0, 999, 1000, 23_400_000, 5e12, 7e15].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '23.4 MB',
      '5 TB',
      '7,000 TB',
    ]);
    expect([0, 6.2, 60, 200, 7500].map(formatSeconds)).toEqual([
      '0 s',
      '7 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ]);
  });
});

describe('formatTable', () => {
  it('pads by columns on the screen, not by characters', () => {
    expect(
      formatTable([
        ['日本', 'x', ''],
        ['abcde', 'yy', 'z'],
      ]),
    ).toBe('日本   x\nabcde  yy  z');
    // A decomposed letter, a family, a ligature.
    expect(formatTable(['e\u0301', '👩‍👩‍👧‍👦', 'ﬁ', 'ab'].map((text) => [text, '|']))).toBe(
      'e\u0301   |\n👩‍👩‍👧‍👦  |\nﬁ   |\nab  |',
    );
  });

  it('keeps each cell on its line', () => {
    expect(
      formatTable([
        ['a\nb', '\x1b[2J'],
        ['c', 'd'],
      ]),
    ).toBe('a⏎b  ␛[2J\nc    d');
  });
});
