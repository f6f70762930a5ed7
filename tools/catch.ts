/**
 * @file Catch, a game to learn from pixels: on a grid of 8 x 8 cells one thing falls a row a step toward a paddle in
 * the lowest row. What is red is to be caught, what is blue to be dodged.
 */
import type { Random } from '../src/core/random.js';

/** Cells along a side. */
export const CELLS = 8;
const CELL_PIXELS = 4;
/** Height and width of the picture. */
export const PIXELS = CELLS * CELL_PIXELS;
/** Steps from the top row to the paddle's. */
export const GAME_STEPS = CELLS - 1;

export const actions = ['left', 'stay', 'right'] as const;

export interface Game {
  /** Column of the paddle. */
  paddle: number;
  /** Where the thing is. */
  column: number;
  row: number;
  readonly isBomb: boolean;
  /** Colour of the background: red, green, blue. */
  readonly shade: readonly [number, number, number];
}

/** A thing at the top, a paddle somewhere; two in five are bombs. */
export function newGame(random: Random): Game {
  const dark = () => 20 + random.integer(60);
  return {
    paddle: random.integer(CELLS),
    column: random.integer(CELLS),
    row: 0,
    isBomb: random.uniform() < 0.4,
    shade: [dark(), dark(), dark()],
  };
}

/** A game whose thing has come down. */
export const isOver = ({ row }: Game): boolean => row === CELLS - 1;

export const isHit = (game: Game): boolean => isOver(game) && game.paddle === game.column;

const MOVING = 0.02;

/**
 * Moves the paddle, then the thing.
 *
 * @param action - place in `actions`
 * @returns the reward: 1 for what is caught, -1 for a bomb, a little less for every move
 */
export function play(game: Game, action: number): number {
  const shift = action - 1;
  game.paddle = Math.min(CELLS - 1, Math.max(0, game.paddle + shift));
  game.row++;
  const caught = isHit(game) ? (game.isBomb ? -1 : 1) : 0;
  return caught - (shift === 0 ? 0 : MOVING);
}

const RED = [230, 60, 50] as const;
const BLUE = [70, 100, 240] as const;
const PADDLE = [230, 230, 220] as const;
/** Deviation of each pixel, so that no value is a sure sign. */
const NOISE = 8;

/**
 * Draws a game.
 *
 * @param into - `[PIXELS, PIXELS, 3]`, 0 to 255
 */
export function draw(game: Game, into: Float32Array, random: Random): void {
  const noise = random.normals(into.length);
  for (let i = 0; i < into.length; i++) into[i] = game.shade[i % 3]! + NOISE * noise[i]!;
  paint(game.row, game.column, game.isBomb ? BLUE : RED);
  paint(CELLS - 1, game.paddle, PADDLE);

  function paint(row: number, column: number, colour: readonly number[]): void {
    for (let y = row * CELL_PIXELS; y < (row + 1) * CELL_PIXELS; y++)
      for (let x = column * CELL_PIXELS; x < (column + 1) * CELL_PIXELS; x++)
        for (let c = 0; c < 3; c++) {
          const at = (y * PIXELS + x) * 3 + c;
          into[at] = colour[c]! + NOISE * noise[at]!;
        }
  }
}
