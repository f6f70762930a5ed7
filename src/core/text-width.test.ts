import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { clip, textWidth } from './text-width.js';
import { visible } from './visible.js';

const anything = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom('日', '語', 'e\u0301', '👩‍👩‍👧', '❤️', '1️⃣', '🇩🇪', '한', 'क्षि', '─', '⠿', '▲', 'ﬁ'),
    ),
  )
  .map((parts) => visible(parts.join('')));

describe('textWidth', () => {
  it('counts what is seen', () => {
    const widths = {
      abc: 3,
      'e\u0301': 1,
      ﬁ: 1,
      '👩‍👩‍👧‍👦': 2,
      '🇩🇪': 2,
      '❤️': 2,
      日本: 4,
      '─⠿': 2,
      '“—”…': 4,
    };
    for (const [text, width] of Object.entries(widths)) expect(textWidth(text), text).toBe(width);
  });

  it('agrees with string-width', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(textWidth(text)).toBe(stringWidth(text));
      }),
    );
    for (const [from, to] of [
      [0x20, 0x7e],
      [0xa1, 0x24f],
      [0x2010, 0x2027],
      [0x2190, 0x21ff],
      [0x2400, 0x2426],
      [0x2500, 0x25fc],
      [0x2800, 0x28ff],
    ] as const)
      for (let code = from; code <= to; code++) {
        const text = visible(String.fromCharCode(code).repeat(2));
        expect(textWidth(text), code.toString(16)).toBe(stringWidth(text));
      }
  });
});

describe('clip', () => {
  it('keeps within the columns, and cuts only when it must, between clusters', () => {
    expect(clip('abcdef', 6)).toBe('abcdef');
    expect(clip('abcdef', 5)).toBe('abcd…');
    expect(clip('日本語', 5)).toBe('日本…');
    expect(clip('日本語', 4)).toBe('日…');
    expect(clip('👩‍👩‍👧👩‍👩‍👧', 3)).toBe('👩‍👩‍👧…');
    expect(clip('abc', 0)).toBe('');
    fc.assert(
      fc.property(anything, fc.nat({ max: 40 }), (text, columns) => {
        const cut = clip(text, columns);
        expect(textWidth(cut)).toBeLessThanOrEqual(columns);
        if (textWidth(text) <= columns && columns > 0) expect(cut).toBe(text);
        else if (columns > 0) expect(text.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
  });
});
