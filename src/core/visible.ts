/**
 * @file Text that others wrote (models, runs, files, hubs), made safe for a line of a terminal or a page: what would act
 * on the line, or not be seen in it, is shown as a sign.
 */

/**
 * Controls (escape sequences begin with one), bidirectional and invisible characters, line separators, lone surrogates,
 * what XML cannot hold. Emoji keep the joiners and variation selectors that they are made of.
 */
const hidden =
  /\r\n|(?!(?<=\p{Emoji})[\uFE0E\uFE0F]|(?<=\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier})\u200D\p{Extended_Pictographic})[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

const printableAscii = /^[ -~]*$/;

/** A piece of a text: as it was, or a sign for something hidden. */
export interface VisiblePiece {
  readonly text: string;
  /** What the sign stands for; null where the text is as it was. */
  readonly hidden: string | null;
}

/** The text on one line with nothing hidden in it: `⏎` for a line break, `⇥` `␛` for controls, else `<U+202E>`. */
export function visible(text: string): string {
  return printableAscii.test(text) ? text : text.replace(hidden, sign);
}

/** The beginning of a text of others, for a message. */
export const clipped = (text: string): string => visible(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** As `visible`, for texts of several lines. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}

/** As `visible`, for readers that show the signs in another style. */
export function visiblePieces(text: string): VisiblePiece[] {
  const pieces: VisiblePiece[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(hidden)) {
    if (index > end) pieces.push({ text: text.slice(end, index), hidden: null });
    pieces.push({ text: sign(found), hidden: found });
    end = index + found.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), hidden: null });
  return pieces;
}

/** JSON of one line, in which the hidden characters are escapes: safe on a terminal, and the same document. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(hidden, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${hex(found.charCodeAt(i)).toLowerCase()}`).join(''),
  );
}

function sign(found: string): string {
  const code = found.codePointAt(0)!;
  if (found === '\n' || found === '\r\n') return '⏎';
  if (found === '\t') return '⇥';
  // Unicode has a picture of each of the first 32 controls, and of DEL.
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '␡' : `<U+${hex(code)}>`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
