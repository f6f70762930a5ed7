/** @file Sixel graphics (DEC, 1987): six rows of pixels a character, one pass a colour. */
import { pixel, type Raster } from './raster.js';

/** Levels of red, green and blue: 252 colours, fewer than the 256 that every such terminal has. */
const LEVELS = [6, 7, 6] as const;

/** Thresholds of ordered dithering (Bayer, 1973), 4 x 4, in sixteenths. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5] as const;

/** The escape sequence that draws a picture at the cursor. */
export function sixel(raster: Raster): string {
  const { width, height } = raster;
  const colors = Uint8Array.from({ length: width * height }, (_, i) =>
    colorOf(raster, i % width, Math.floor(i / width)),
  );
  const used = [...new Set(colors)].sort((a, b) => a - b);
  const bands = Array.from({ length: Math.ceil(height / 6) }, (_, band) => encodeBand(colors, raster, band));
  return `\x1bPq"1;1;${width};${height}${used.map(definition).join('')}${bands.join('-')}\x1b\\`;
}

/** The nearest of the fixed colours, dithered. */
function colorOf(raster: Raster, x: number, y: number): number {
  const threshold = (BAYER[(y % 4) * 4 + (x % 4)]! + 0.5) / 16;
  return pixel(raster, x, y).reduce(
    (index, value, channel) =>
      index * LEVELS[channel]! + Math.floor((value / 255) * (LEVELS[channel]! - 1) + threshold * 0.999),
    0,
  );
}

/** `#index;2;red;green;blue`, in hundredths. */
function definition(index: number): string {
  const levels = [Math.floor(index / 42), Math.floor(index / 6) % 7, index % 6];
  const parts = levels.map((level, channel) => Math.round((level / (LEVELS[channel]! - 1)) * 100));
  return `#${index};2;${parts.join(';')}`;
}

function encodeBand(colors: Uint8Array, { width, height }: Raster, band: number): string {
  const rows = Math.min(6, height - 6 * band);
  const masks = new Map<number, Uint8Array>();
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) {
      const color = colors[(6 * band + row) * width + x]!;
      const mask = masks.get(color) ?? new Uint8Array(width);
      mask[x]! |= 1 << row;
      masks.set(color, mask);
    }
  }
  return [...masks].map(([color, mask]) => `#${color}${runLengths(mask)}`).join('$');
}

/** `!count` before what repeats more than three times. */
function runLengths(mask: Uint8Array): string {
  let code = '';
  for (let start = 0; start < mask.length; ) {
    let end = start;
    while (end < mask.length && mask[end] === mask[start]) end++;
    const character = String.fromCharCode(63 + mask[start]!);
    code += end - start > 3 ? `!${end - start}${character}` : character.repeat(end - start);
    start = end;
  }
  return code;
}
