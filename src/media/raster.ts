/** @file Pictures as pixels: decoded, and scaled into a box. */
import type { Rgb } from './color.js';

/** Red, green, blue, a byte each, row by row: `[height, width, 3]`. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Decodes a picture (PNG, JPEG, WebP, GIF) and scales it to fit, its proportions kept; what is transparent is black.
 *
 * @param source - a file, or its bytes
 * @param within - pixels; a smaller picture is enlarged too
 * @param tall - how much taller than wide the terminal's pixels are
 * @throws Error when it is no picture
 */
export async function readRaster(
  source: string | Uint8Array,
  within: { readonly width: number; readonly height: number },
  tall = 1,
): Promise<Raster> {
  const { default: sharp } = await import('sharp');
  const picture = sharp(source);
  const { width, height } = await picture.metadata();
  const scale = Math.min(within.width / width, (within.height * tall) / height);
  const pixels = (length: number, limit: number) => Math.max(1, Math.min(limit, Math.round(length)));
  const { data, info } = await picture
    .resize(pixels(width * scale, within.width), pixels((height * scale) / tall, within.height), {
      fit: 'fill',
      kernel: scale > 2 ? 'nearest' : 'lanczos3',
    })
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: rgb(data, info.channels) };
}

/** The colour of a pixel. */
export function pixel({ width, data }: Raster, x: number, y: number): Rgb {
  const at = (y * width + x) * 3;
  return [data[at]!, data[at + 1]!, data[at + 2]!];
}

function rgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return data;
  return Uint8Array.from(
    { length: (data.length / channels) * 3 },
    (_, i) => data[Math.floor(i / 3) * channels]!,
  );
}
