/**
 * @file A picture in the terminal: by the graphics protocol of kitty, iTerm2 or sixel where there is one, else two
 * pixels a character with half blocks.
 */

import { pixel, type Raster, readRaster } from './raster.js';
import { sixel } from './sixel.js';
import { type ColorDepth, encodeLine, type Line } from './styled.js';

/** How a terminal can show a picture. */
export const graphicsProtocols = ['kitty', 'iterm', 'sixel', 'blocks'] as const;
export type Graphics = (typeof graphicsProtocols)[number];

export interface PictureBox {
  readonly columns: number;
  readonly rows: number;
}

/** Pixels of a character, as the protocols are given them; terminals scale kitty's and iTerm2's pictures themselves. */
const CELL = { width: 10, height: 20 } as const;

/**
 * What the terminal can do, by the variables it sets. `SUPERSTIM_GRAPHICS` overrides it. Inside tmux and screen, which
 * pass no pictures on, it is half blocks.
 */
export function graphicsOf(env: NodeJS.ProcessEnv): Graphics {
  const wanted = graphicsProtocols.find((name) => name === env.SUPERSTIM_GRAPHICS);
  if (wanted) return wanted;
  const { TERM = '', TERM_PROGRAM = '' } = env;
  if (env.TMUX || env.STY || /^(tmux|screen)/.test(TERM)) return 'blocks';
  if (env.KITTY_WINDOW_ID || TERM === 'xterm-kitty' || TERM === 'xterm-ghostty' || TERM_PROGRAM === 'ghostty')
    return 'kitty';
  if (TERM_PROGRAM === 'iTerm.app' || TERM_PROGRAM === 'WezTerm' || env.WEZTERM_PANE) return 'iterm';
  if (/sixel|^foot|^mlterm|^contour|^yaft/.test(TERM)) return 'sixel';
  return 'blocks';
}

/**
 * A picture to write where the cursor stands, ending below it with a newline.
 *
 * @param source - a PNG file, or its bytes
 * @param box - characters it may fill; proportions are kept
 */
export async function terminalPicture(
  source: string | Uint8Array,
  { graphics, depth, ...box }: PictureBox & { readonly graphics: Graphics; readonly depth: ColorDepth },
): Promise<string> {
  if (graphics === 'blocks') {
    const lines = halfBlocks(await readBlocks(source, box), depth);
    return lines.map((line) => `${encodeLine(line, depth)}\n`).join('');
  }
  const { code, rows } = await pictureCode(source, box, graphics);
  // Kitty leaves the cursor where it was; room is made first, so that nothing scrolls while it draws.
  return graphics === 'kitty' ? `${'\n'.repeat(rows)}\x1b[${rows}A${code}\x1b[${rows}B` : `${code}\n`;
}

/** Decodes a picture for half blocks: a pixel wide, two high for each character. */
export function readBlocks(source: string | Uint8Array, { columns, rows }: PictureBox): Promise<Raster> {
  return readRaster(source, { width: columns, height: 2 * rows });
}

/** Two pixels a character, the upper as its colour, the lower as its background; shades where there is no colour. */
export function halfBlocks(raster: Raster, depth: ColorDepth): Line[] {
  const { width, height } = raster;
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) =>
    Array.from({ length: width }, (_, x) => {
      const upper = pixel(raster, x, 2 * row);
      const lower = 2 * row + 1 < height ? pixel(raster, x, 2 * row + 1) : undefined;
      if (depth === 'none') return { text: shade([upper, lower ?? upper]) };
      return { text: '▀', color: upper, ...(lower && { background: lower }) };
    }),
  );
}

/** A picture as a protocol's escape sequence, and the characters it covers. */
export interface PictureCode extends PictureBox {
  readonly code: string;
}

/** @param graphics - not `blocks`, which are text */
export async function pictureCode(
  source: string | Uint8Array,
  box: PictureBox,
  graphics: Exclude<Graphics, 'blocks'>,
): Promise<PictureCode> {
  const raster = await readRaster(source, {
    width: box.columns * CELL.width,
    height: box.rows * CELL.height,
  });
  const columns = Math.max(1, Math.round(raster.width / CELL.width));
  const rows = Math.max(1, Math.round(raster.height / CELL.height));
  if (graphics === 'sixel') return { columns, rows, code: sixel(raster) };
  const png = (await encodePng(raster)).toString('base64');
  return {
    columns,
    rows,
    code: graphics === 'kitty' ? kitty(png, columns, rows) : iterm(png, columns, rows),
  };
}

/** Takes away what kitty has drawn; other terminals forget a picture that is written over. */
export const KITTY_CLEAR = '\x1b_Ga=d,d=A,q=2\x1b\\';

/** https://sw.kovidgoyal.net/kitty/graphics-protocol: PNG in pieces of at most 4,096 characters. */
function kitty(base64: string, columns: number, rows: number): string {
  const pieces = base64.match(/.{1,4096}/g) ?? [];
  return pieces
    .map((piece, i) => {
      const first = i === 0 ? `a=T,f=100,q=2,C=1,c=${columns},r=${rows},` : '';
      return `\x1b_G${first}m=${i === pieces.length - 1 ? 0 : 1};${piece}\x1b\\`;
    })
    .join('');
}

/** https://iterm2.com/documentation-images.html */
function iterm(base64: string, columns: number, rows: number): string {
  return `\x1b]1337;File=inline=1;width=${columns};height=${rows};preserveAspectRatio=1:${base64}\x07`;
}

async function encodePng({ data, width, height }: Raster): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

function shade(pixels: readonly (readonly [number, number, number])[]): string {
  const light = pixels.reduce((sum, [r, g, b]) => sum + (0.299 * r + 0.587 * g + 0.114 * b) / 255, 0);
  return ' ░▒▓█'[Math.round((light / pixels.length) * 4)]!;
}
