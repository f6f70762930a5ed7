import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Raster } from './raster.js';
import { sixel } from './sixel.js';
import { graphicsOf, halfBlocks, pictureCode, readBlocks, terminalPicture } from './terminal-picture.js';

/** Red, green over blue, white: 2 x 2. */
const corners: Raster = {
  width: 2,
  height: 2,
  data: Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]),
};
const png = (raster: Raster) =>
  sharp(raster.data, { raw: { width: raster.width, height: raster.height, channels: 3 } })
    .png()
    .toBuffer();

describe('graphicsOf', () => {
  it.each([
    [{ TERM: 'xterm-kitty' }, 'kitty'],
    [{ TERM_PROGRAM: 'iTerm.app' }, 'iterm'],
    [{ TERM: 'foot' }, 'sixel'],
    [{ TERM: 'xterm-256color' }, 'blocks'],
    [{ TERM: 'tmux-256color', KITTY_WINDOW_ID: '1', TMUX: '/tmp/tmux' }, 'blocks'],
    [{ TERM: 'xterm-kitty', SUPERSTIM_GRAPHICS: 'sixel' }, 'sixel'],
  ])('%j: %s', (env, graphics) => {
    expect(graphicsOf(env)).toBe(graphics);
  });
});

describe('half blocks', () => {
  it('put the upper pixel in front of the lower', () => {
    expect(halfBlocks(corners, 'full')).toEqual([
      [
        { text: '▀', color: [255, 0, 0], background: [0, 0, 255] },
        { text: '▀', color: [0, 255, 0], background: [255, 255, 255] },
      ],
    ]);
  });

  it('become shades without colour', () => {
    const [line] = halfBlocks(corners, 'none');
    expect(line!.map(({ text }) => text).join('')).toBe('░▓');
  });

  it('keep the proportions of the picture', async () => {
    const wide = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#f00' } })
      .png()
      .toBuffer();
    const raster = await readBlocks(wide, { columns: 40, rows: 40 });
    expect([raster.width, raster.height]).toEqual([40, 20]);
    expect(await terminalPicture(wide, { columns: 4, rows: 4, graphics: 'blocks', depth: 'full' })).toBe(
      `${'\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[0m'.repeat(4)}\n`,
    );
  });

  it('show grey pictures and transparent ones', async () => {
    const grey = await sharp(Uint8Array.from([7, 200]), { raw: { width: 2, height: 1, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const { data } = await readBlocks(grey, { columns: 2, rows: 1 });
    expect(Array.from(data)).toEqual([7, 7, 7, 200, 200, 200]);
    const clear = { width: 2, height: 1, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } as const;
    const transparent = await readBlocks(await sharp({ create: clear }).png().toBuffer(), {
      columns: 2,
      rows: 1,
    });
    expect(Array.from(transparent.data)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('protocols', () => {
  it('give kitty and iTerm2 the same pixels as a PNG', async () => {
    const picture = await png(corners);
    for (const graphics of ['kitty', 'iterm'] as const) {
      const { code, columns, rows } = await pictureCode(picture, { columns: 4, rows: 2 }, graphics);
      expect([columns, rows]).toEqual([4, 2]);
      const base64 =
        graphics === 'kitty'
          ? [...code.matchAll(/_G[^;]*;([\w+/=]*)/g)].map((match) => match[1]).join('')
          : /:([\w+/=]*)/.exec(code)![1]!;
      const { data, info } = await sharp(Buffer.from(base64, 'base64'))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([40, 40]);
      expect(Array.from(data.subarray(0, 3))).toEqual([255, 0, 0]);
      expect(Array.from(data.subarray(-3))).toEqual([255, 255, 255]);
    }
  });

  it('draw every pixel in sixel once, in its colour', () => {
    const width = 7;
    const height = 8;
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
      Math.floor(i / 3) % 3 === i % 3 ? 255 : 0,
    );
    const drawn = decodeSixel(sixel({ width, height, data }), width, height);
    expect(drawn.map((colors) => colors.length)).toEqual(Array(width * height).fill(1));
    expect(drawn.flat().flat()).toEqual(Array.from(data, (value) => (value / 255) * 100));
  });
});

/** The colours (in hundredths) that each pixel was given. */
function decodeSixel(code: string, width: number, height: number): number[][][] {
  const body = /^.Pq"1;1;\d+;\d+(.*).\\$/s.exec(code)![1]!;
  const drawn: number[][][] = Array.from({ length: width * height }, () => []);
  const colors = new Map<string, number[]>();
  let [x, band, color] = [0, 0, ''];
  for (const [token, index, definition, count, repeated] of body.matchAll(
    /#(\d+)(?:;2;([\d;]+))?|!(\d+)([?-~])|[?-~$-]/g,
  )) {
    if (definition !== undefined) colors.set(index!, definition.split(';').map(Number));
    else if (index !== undefined) color = index;
    else if (token === '$') x = 0;
    else if (token === '-') [x, band] = [0, band + 1];
    else {
      const bits = (repeated ?? token).charCodeAt(0) - 63;
      for (let step = 0; step < Number(count ?? 1); step++, x++)
        for (let row = 0; row < 6; row++)
          if (bits & (1 << row)) drawn[(6 * band + row) * width + x]!.push(colors.get(color)!);
    }
  }
  return drawn;
}
