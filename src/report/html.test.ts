/** Escaping: whatever is put into a page comes out as that text, and as nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Content, escapeText, html, trusted } from './html.js';

const readBack = (markup: string) =>
  markup.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  );

/** Whether HTML and XML can hold a character (no controls, no halves of pairs, no non-characters). */
function isAllowed(character: string): boolean {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return '\t\n\r'.includes(character);
  return (
    !(code >= 0x7f && code < 0xa0) && !(code >= 0xd800 && code < 0xe000) && code !== 0xfffe && code !== 0xffff
  );
}

it('escapes any text so that it can stand in elements and attributes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>"']/);
      const kept = Array.from(text, (character) => (isAllowed(character) ? character : '\uFFFD')).join('');
      expect(readBack(escaped)).toBe(kept);
    }),
  );
});

it('replaces what no document can hold', () => {
  expect(escapeText('a\0b\uD800c\x1b[0m')).toBe('a\uFFFDb\uFFFDc\uFFFD[0m');
  expect(escapeText('tab\tline\nemoji 🙂')).toBe('tab\tline\nemoji 🙂');
});

it('takes markup as it is, lists in order, and nothing for what is absent', () => {
  const values: Content[] = ['<a>', 0, null, false, undefined, trusted('<br>')];
  const items = values.map((value) => html`[${value}]`);
  expect(html`<p title="${'"'}">${items}</p>`.markup).toBe(
    '<p title="&quot;">[&lt;a&gt;][0][][][][<br>]</p>',
  );
});
