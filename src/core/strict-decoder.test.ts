import { expect, it } from 'vitest';
import { StrictDecoder } from './strict-decoder.js';

/** Decodes in chunks of so many bytes. */
function decode(bytes: Uint8Array, size: number): string {
  const decoder = new StrictDecoder('a.txt');
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += decoder.decode(bytes.subarray(at, at + size));
  decoder.end();
  return text;
}

it.each([2, 3, 4, 100])('decodes chunks of %d bytes', (size) => {
  const text = 'aé€😀\n';
  expect(decode(Buffer.from(`\ufeff${text}`), size)).toBe(text);
  expect(decode(Buffer.from(`\ufeff${text}`, 'utf16le'), size)).toBe(text);
});

it.each<[what: string, bytes: Uint8Array, words: string]>([
  ['Windows-1252', Buffer.from('caf\xe9 au lait', 'latin1'), 'byte 3 of its text (0xe9) is not UTF-8'],
  ['binary data', Buffer.from([65, 0, 66]), 'it has NUL characters'],
  ['half a character', Buffer.from('€').subarray(0, 2), 'its last character is cut off'],
])('refuses %s, whole or in chunks', (_, bytes, words) => {
  for (const size of [1, 2, 100]) expect(() => decode(bytes, size)).toThrow(`could not read a.txt: ${words}`);
});
