import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visible, visibleJson, visibleLines, visiblePieces } from './visible.js';

it('shows what acts on a terminal, and what nobody would see', () => {
  expect(visible('a\nb\r\nc\rd\te\x07\x7f')).toBe('a⏎b⏎c␍d⇥e␇␡');
  expect(visible('\x1b]52;c;QQ==\x07 \x9b2J')).toBe('␛]52;c;QQ==␇ <U+009B>2J');
  expect(visible('pay\u202Eexe.txt\u2066\u200B\uFEFF\u2028')).toBe(
    'pay<U+202E>exe.txt<U+2066><U+200B><U+FEFF><U+2028>',
  );
  expect(visible('\uD800 \uFFFE \u3164 \u{E0041}')).toBe('<U+D800> <U+FFFE> <U+3164> <U+E0041>');
  expect(visibleLines('a\r\nb\x1bc\n')).toBe('a\nb␛c\n');
});

it('leaves alone what is seen', () => {
  for (const text of [
    'the old man',
    'é e\u0301',
    '日本語 العربية',
    '👩‍👩‍👧 🏳️‍🌈 👩🏽‍🚀 ❤️ 1️⃣',
    'a\u00A0b',
    '·⏎',
  ])
    expect(visible(text)).toBe(text);
  // A joiner or selector alone hides.
  expect(visible('a\u200Db\uFE0F')).toBe('a<U+200D>b<U+FE0F>');
});

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 30 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('👩', '\u200D', '\uFE0F', '🏽', '1', '\x1b', '\uDC00', '\n'))
    .map((parts) => parts.join('')),
);

it('lets no control, bidirectional character or lone surrogate through, whatever the text', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const shown = visible(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
      expect(visible(shown)).toBe(shown);
      expect(
        visiblePieces(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(shown);
    }),
  );
});

it('writes JSON that is the same document', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const json = visibleJson({ [text]: [text] });
      expect(json).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
    }),
  );
});
