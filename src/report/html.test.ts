/** Escaping: whatever is put into a page comes out as that text, and as nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visibleLines } from '../core/visible.js';
import { type Content, escapeText, html, trusted } from './html.js';

const readBack = (markup: string) =>
  markup.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  );

it('escapes any text so that it can stand in elements and attributes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(readBack(escaped)).toBe(visibleLines(text));
    }),
  );
});

it('shows a sign for what no document can hold, and for what nobody would see', () => {
  expect(escapeText('a\0b\uD800c\x1b[0m\u202E')).toBe('a␀b&lt;U+D800&gt;c␛[0m&lt;U+202E&gt;');
  expect(escapeText('line\nemoji 🙂')).toBe('line\nemoji 🙂');
});

it('takes markup as it is, lists in order, and nothing for what is absent', () => {
  const values: Content[] = ['<a>', 0, null, false, undefined, trusted('<br>')];
  const items = values.map((value) => html`[${value}]`);
  expect(html`<p title="${'"'}">${items}</p>`.markup).toBe(
    '<p title="&quot;">[&lt;a&gt;][0][][][][<br>]</p>',
  );
});
