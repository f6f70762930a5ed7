/**
 * @file Plays Catch with a trained network and draws some moments of the game.
 *
 *   npx tsx tools/play-catch.ts [--model models/catch-policy] [--games 2000] [--sheet FILE.png]
 */
import { parseArgs } from 'node:util';
import { Random } from '../src/core/random.js';
import { contactSheet } from '../src/media/contact-sheet.js';
import { writePng } from '../src/media/picture-files.js';
import { openVisionNetwork } from '../src/vision/open.js';
import { draw, newGame, PIXELS } from './catch.js';
import { playCatch } from './catch-player.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/catch-policy' },
    games: { type: 'string', default: '2000' },
    sheet: { type: 'string' },
  },
});
const { reward, caught, dodged } = await playCatch(
  openVisionNetwork(options.model),
  Number(options.games),
  new Random(7),
);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
console.log(
  `${options.games} games: reward ${reward.toFixed(3)}, caught ${percent(caught)}, dodged ${percent(dodged)}`,
);

/** Pixels of the sheet a pixel of the game. */
const ZOOM = 4;
if (options.sheet) {
  const random = new Random(8);
  const tiles = [1, 4, 2, 5, 3].map((row) => {
    const game = { ...newGame(random), row };
    const small = new Float32Array(PIXELS * PIXELS * 3);
    draw(game, small, random);
    const side = PIXELS * ZOOM;
    const data = Float32Array.from({ length: side * side * 3 }, (_, i) => {
      const [pixel, c] = [Math.floor(i / 3), i % 3];
      const [y, x] = [Math.floor(pixel / side / ZOOM), Math.floor((pixel % side) / ZOOM)];
      return Math.min(1, Math.max(0, small[(y * PIXELS + x) * 3 + c]! / 255));
    });
    return { label: '', picture: { width: side, height: side, channels: 3, data } };
  });
  await writePng(options.sheet, contactSheet(tiles, tiles.length));
}
process.exit(0);
