/** @file Width and height of pictures: as a user writes them. Imports little: for code that only checks them. */
import { imageBounds } from './names.js';

/** Pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a size is, in the words of a complaint. */
export const sizeRule = `${imageBounds.size.min} to ${imageBounds.size.max} pixels, or a width and a height such as 320x200`;

/** A size as a job has it: pixels of both sides, or `320x200`, the width first; null where it is neither. */
export function readSize(size: number | string): PictureSize | null {
  const sides = /^(\d{1,9})(?:x(\d{1,9}))?$/.exec(String(size));
  if (!sides) return null;
  const [width, height] = [Number(sides[1]), Number(sides[2] ?? sides[1])];
  const { min, max } = imageBounds.size;
  return [width, height].every((side) => side >= min && side <= max) ? { width, height } : null;
}

/** The text that `readSize` reads. */
export const formatSize = ({ width, height }: PictureSize): string => `${width}x${height}`;
