import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, formatBytes, formatCount, formatSeconds, formatTable, oneLine, textWidth } from './format.js';

describe('quantities', () => {
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
  });
});

describe('clip', () => {
  it('keeps within the columns, and cuts only when it must', () => {
    expect(clip('abcdef', 6)).toBe('abcdef');
    expect(clip('abcdef', 5)).toBe('abcd…');
    expect(clip('日本語', 5)).toBe('日本…');
    expect(clip('abc', 0)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, columns) => {
        const cut = clip(text, columns);
        expect(textWidth(cut)).toBeLessThanOrEqual(columns);
        if (textWidth(text) <= columns) expect(cut).toBe(text);
      }),
    );
  });
});

describe('oneLine', () => {
  it('leaves nothing that moves the cursor', () => {
    expect(oneLine('a\nb\r\nc\x1b[2Kd\te')).toBe('a⏎b⏎c·[2Kd·e');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(oneLine(text)).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
      }),
    );
  });
});
