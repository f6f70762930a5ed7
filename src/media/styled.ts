/** @file Styled text: pieces of a line with colours and emphasis, and the escape sequences they become. */
import { clip, textWidth } from '../core/text-width.js';
import { visible } from '../core/visible.js';
import type { Rgb } from './color.js';

export interface Style {
  readonly color?: Rgb;
  readonly background?: Rgb;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
}

/** A piece of a line; no newlines in it. */
export interface Span extends Style {
  readonly text: string;
}

export type Line = readonly Span[];

/** How many colours a terminal shows. */
export type ColorDepth = 'none' | 'palette' | 'full';

/** What is needed of a terminal's stream. */
export interface ColorStream {
  getColorDepth?(env?: object): number;
}

/**
 * What Node finds out from `NO_COLOR`, `FORCE_COLOR`, `COLORTERM` and `TERM`.
 *
 * @param flag - false after `--no-color`
 */
export function colorDepth(stream: ColorStream, env: NodeJS.ProcessEnv, flag = true): ColorDepth {
  if (!flag || env.NO_COLOR) return 'none';
  const bits = stream.getColorDepth?.(env) ?? 1;
  return bits >= 24 ? 'full' : bits > 1 ? 'palette' : 'none';
}

/** A line of one piece. */
export function plain(text: string, style: Style = {}): Line {
  return [{ ...style, text }];
}

/** Columns that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/**
 * The line with exactly so many columns: cut, or filled with blanks. Every line of a screen passes here, and what it
 * shows is `visible`.
 */
export function fitLine(line: Line, columns: number): Line {
  const fitted: Span[] = [];
  let room = columns;
  for (const span of line) {
    const whole = visible(span.text);
    const text = textWidth(whole) > room ? clip(whole, room) : whole;
    fitted.push({ ...span, text });
    room -= textWidth(text);
    if (text !== whole) break;
  }
  if (room > 0) fitted.push({ text: ' '.repeat(room) });
  return fitted;
}

/** The text alone. */
export function lineText(line: Line): string {
  return line.map(({ text }) => text).join('');
}

/** The line as a terminal reads it; every style ends where its piece ends. */
export function encodeLine(line: Line, depth: ColorDepth): string {
  return line.map((span) => encodeSpan(span, depth)).join('');
}

function encodeSpan({ text, ...style }: Span, depth: ColorDepth): string {
  const codes: (string | number)[] = [];
  if (style.bold) codes.push(1);
  if (style.dim) codes.push(2);
  if (style.underline) codes.push(4);
  if (style.inverse) codes.push(7);
  if (style.color && depth !== 'none') codes.push(colorCode(38, style.color, depth));
  if (style.background && depth !== 'none') codes.push(colorCode(48, style.background, depth));
  return codes.length === 0 || text === '' ? text : `\x1b[${codes.join(';')}m${text}\x1b[0m`;
}

function colorCode(kind: 38 | 48, color: Rgb, depth: ColorDepth): string {
  return depth === 'full' ? `${kind};2;${color.join(';')}` : `${kind};5;${paletteIndex(color)}`;
}

/** The nearest of the 6 x 6 x 6 cube and the 24 greys of the 256 colours that all such terminals share. */
export function paletteIndex([red, green, blue]: Rgb): number {
  const level = (value: number) => (value < 48 ? 0 : value < 115 ? 1 : Math.floor((value - 35) / 40));
  const steps = [0, 95, 135, 175, 215, 255];
  const cube = [level(red), level(green), level(blue)] as const;
  const grey = Math.min(23, Math.max(0, Math.round(((red + green + blue) / 3 - 8) / 10)));
  const distance = (r: number, g: number, b: number) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
  const greyLevel = 8 + 10 * grey;
  const cubeIsNearer =
    distance(steps[cube[0]]!, steps[cube[1]]!, steps[cube[2]]!) <= distance(greyLevel, greyLevel, greyLevel);
  return cubeIsNearer ? 16 + 36 * cube[0] + 6 * cube[1] + cube[2] : 232 + grey;
}
