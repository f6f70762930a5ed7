/** @file A picture as numbers, and how one is read from a file. */
import { existsSync } from 'node:fs';
import { UserError } from '../core/errors.js';

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

/**
 * Reads a PNG, JPEG, WebP, GIF, TIFF or AVIF file, cut to the middle where its proportions are others. Transparency is
 * laid over grey.
 *
 * @param channels - 3 (RGB), 1 (grey), or another number of planes, each of which is then grey
 * @throws UserError when there is no such file, or it is no picture
 */
export async function readPicture(
  file: string,
  { width, height, channels }: Pick<Picture, 'width' | 'height' | 'channels'>,
): Promise<Picture> {
  if (!existsSync(file)) throw new UserError(`there is no picture ${file}; check the path`);
  const { default: sharp } = await import('sharp');
  try {
    const bytes = await sharp(file, { pages: 1 })
      .rotate()
      .flatten({ background: '#808080' })
      .resize(width, height, { fit: 'cover' })
      .toColourspace(channels === 3 ? 'srgb' : 'b-w')
      .raw()
      .toBuffer();
    const copies = channels === 3 ? 1 : channels;
    const data = Float32Array.from(
      { length: width * height * channels },
      (_, k) => bytes[Math.floor(k / copies)]! / 255,
    );
    return { width, height, channels, data };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(`${file} cannot be read as a picture (${reason}); give a PNG, JPEG, WebP or GIF`, {
      cause: error,
    });
  }
}
