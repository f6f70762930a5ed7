/** @file A picture as numbers, and how one is read from a file. */
import { existsSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import type { PictureShape } from './parameterizations/parameterization.js';
import type { PictureSize } from './picture-size.js';
import { colourPlanes } from './planes.js';

/** One picture, [height, width, channels] in [0, 1]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** A picture of one value everywhere. */
export function plainPicture(width: number, height: number, channels: number, value: number): Picture {
  return { width, height, channels, data: new Float32Array(width * height * channels).fill(value) };
}

/** Width and height of a picture file as it is shown. Throws as `readPicture` does. */
export async function pictureFileSize(file: string): Promise<PictureSize> {
  const { default: sharp } = await import('sharp');
  return reading(file, async () => (await sharp(file).metadata()).autoOrient);
}

/**
 * Reads a PNG, JPEG, WebP, GIF, TIFF or AVIF file, cut to the middle where its proportions are others. Transparency is
 * laid over grey.
 *
 * @param shape - `channels`: 3 (RGB), 1 (grey), or another number of planes; `input`: what the planes are, colours of the
 *   picture, or its light (default: `usualInput`)
 * @throws UserError when there is no such file, or it is no picture
 */
export async function readPicture(
  file: string,
  { width, height, channels, input }: Pick<PictureShape, 'width' | 'height' | 'channels' | 'input'>,
): Promise<Picture> {
  const { default: sharp } = await import('sharp');
  return reading(file, async () => {
    const colours = colourPlanes(channels, input);
    const bytes = (space: 'srgb' | 'b-w') =>
      sharp(file, { pages: 1 })
        .rotate()
        .flatten({ background: '#808080' })
        .resize(width, height, { fit: 'cover' })
        .toColourspace(space)
        .raw()
        .toBuffer();
    const rgb = colours > 0 ? await bytes('srgb') : null;
    const light = colours < channels ? await bytes('b-w') : null;
    const data = Float32Array.from({ length: width * height * channels }, (_, k) => {
      const [pixel, plane] = [Math.floor(k / channels), k % channels];
      return (plane < colours ? rgb![pixel * 3 + (plane % 3)]! : light![pixel]!) / 255;
    });
    return { width, height, channels, data };
  });
}

async function reading<Result>(file: string, read: () => Promise<Result>): Promise<Result> {
  if (!existsSync(file)) throw new UserError(`there is no picture ${file}; check the path`);
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(`${file} cannot be read as a picture (${reason}); give a PNG, JPEG, WebP or GIF`, {
      cause: error,
    });
  }
}
