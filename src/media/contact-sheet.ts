/** @file Many pictures on one sheet, each with its name below. */
import { type Picture, plainPicture } from '../vision/picture.js';
import { drawText, glyphHeight, textColumns } from './bitmap-font.js';

export interface Tile {
  readonly label: string;
  /** All of one size. */
  readonly picture: Picture;
  /** Crossed out: nothing moves this unit. */
  readonly dead?: boolean;
}

const GAP = 4;
/** White. */
export const PAPER = 1;
const INK = 0.15;

/**
 * A sheet in reading order, as square as it gets.
 *
 * @param columns - default: the root of the number of tiles
 */
export function contactSheet(tiles: readonly Tile[], columns = Math.ceil(Math.sqrt(tiles.length))): Picture {
  const [{ width: side, height, channels }] = [tiles[0]!.picture];
  const rows = Math.ceil(tiles.length / columns);
  const zoom = labelZoom(tiles, side);
  const strip = (glyphHeight + 3) * zoom;
  const sheet = plainPicture(
    columns * (side + GAP) + GAP,
    rows * (height + strip + GAP) + GAP,
    channels,
    PAPER,
  );
  tiles.forEach((tile, i) => {
    const top = GAP + Math.floor(i / columns) * (height + strip + GAP);
    const left = GAP + (i % columns) * (side + GAP);
    if (tile.dead) cross(sheet, top, left, side, height);
    else paste(sheet, tile.picture, top, left);
    const label = fitting(tile.label, side, zoom);
    const indent = Math.floor((side - textColumns(label) * zoom) / 2);
    drawText(label, (row, column) => {
      for (let dy = 0; dy < zoom; dy++) {
        for (let dx = 0; dx < zoom; dx++) {
          ink(sheet, top + height + (row + 2) * zoom + dy, left + indent + column * zoom + dx);
        }
      }
    });
  });
  return sheet;
}

/** Pixels a dot: as large as the longest label allows. */
function labelZoom(tiles: readonly Tile[], side: number): number {
  const longest = Math.max(...tiles.map(({ label }) => textColumns(label)));
  return longest * 2 <= side ? 2 : 1;
}

/** The label, or where it is too long its end: the channel's number. */
function fitting(label: string, side: number, zoom: number): string {
  const room = Math.floor((side / zoom + 1) / 4);
  return label.length <= room ? label : label.slice(-room);
}

function ink(sheet: Picture, row: number, column: number): void {
  const { width, channels, data } = sheet;
  data.fill(INK, (row * width + column) * channels, (row * width + column + 1) * channels);
}

/** Lays a picture onto a larger one. */
export function paste(
  sheet: Picture,
  { width, height, channels, data }: Picture,
  top: number,
  left: number,
): void {
  for (let row = 0; row < height; row++) {
    const line = data.subarray(row * width * channels, (row + 1) * width * channels);
    sheet.data.set(line, ((top + row) * sheet.width + left) * channels);
  }
}

function cross(sheet: Picture, top: number, left: number, width: number, height: number): void {
  for (let row = 0; row < height; row++) {
    const along = Math.floor((row * width) / height);
    for (const column of [along, width - 1 - along]) ink(sheet, top + row, left + column);
  }
}
