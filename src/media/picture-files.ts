/** @file Pictures as PNG files, and rows of pictures as animations (GIF, WebP). */
import { extname } from 'node:path';
import type { Sharp } from 'sharp';
import { UsageError } from '../core/errors.js';
import { writeFileByRename } from '../runs/files.js';
import type { Picture } from '../vision/picture.js';

/** Loaded when the first picture is written: it takes a tenth of a second. */
const loadSharp = async () => (await import('sharp')).default;

/** Bytes 0 to 255, three channels. */
function rgbBytes({ channels, data }: Picture): Buffer {
  const pixels = data.length / channels;
  const bytes = Buffer.alloc(pixels * 3);
  for (let k = 0; k < pixels; k++) {
    for (let c = 0; c < 3; c++) {
      const value = data[k * channels + (channels === 3 ? c : 0)]!;
      bytes[k * 3 + c] = Math.min(255, Math.max(0, Math.round(value * 255)));
    }
  }
  return bytes;
}

/** A picture as the bytes of a PNG file, 8 bits a channel. */
export async function encodePng(picture: Picture): Promise<Buffer> {
  const { width, height } = picture;
  const sharp = await loadSharp();
  return sharp(rgbBytes(picture), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Writes a PNG that appears at once or not at all. Throws UserError when the folder cannot be written. */
export async function writePng(path: string, picture: Picture): Promise<void> {
  writeFileByRename(path, await encodePng(picture));
}

const encoders = {
  // Every frame keeps its own best 256 colours; more effort takes five times as long for one percent of the bytes.
  '.gif': (image: Sharp, delay: number[]) =>
    image.gif({ delay, loop: 0, interPaletteMaxError: 0, effort: 3 }),
  '.webp': (image: Sharp, delay: number[]) => image.webp({ delay, loop: 0, quality: 90 }),
} as const;

/**
 * Checks a file name for an animation before anything is computed.
 *
 * @throws UsageError for another ending than .gif or .webp
 */
export function checkAnimationName(path: string): void {
  if (Object.hasOwn(encoders, extname(path).toLowerCase())) return;
  throw new UsageError(`${path} is no name for an animation: it must end in .gif or .webp`);
}

export interface AnimationOptions {
  /** Milliseconds that a picture stands, and the last one. */
  readonly delay?: number;
  readonly lastDelay?: number;
}

/**
 * Writes an endless animation, GIF or WebP by the file's ending. Pictures of other sizes are brought to the last one's.
 *
 * @throws UsageError for another ending, UserError when the folder cannot be written
 */
export async function writeAnimation(
  path: string,
  pictures: readonly Picture[],
  { delay = 100, lastDelay = 1000 }: AnimationOptions = {},
): Promise<void> {
  checkAnimationName(path);
  const { width, height } = pictures.at(-1)!;
  const pages = await Promise.all(pictures.map((picture) => broughtTo(picture, width, height)));
  const sharp = await loadSharp();
  const image = sharp(Buffer.concat(pages), {
    raw: { width, height: height * pages.length, channels: 3, pageHeight: height },
    limitInputPixels: false,
  });
  const delays = pages.map((_, i) => (i === pages.length - 1 ? lastDelay : delay));
  const encode = encoders[extname(path).toLowerCase() as keyof typeof encoders];
  writeFileByRename(path, await encode(image, delays).toBuffer());
}

async function broughtTo(picture: Picture, width: number, height: number): Promise<Buffer> {
  const bytes = rgbBytes(picture);
  if (picture.width === width && picture.height === height) return bytes;
  const sharp = await loadSharp();
  return sharp(bytes, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer();
}
