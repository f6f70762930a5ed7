/**
 * @file The training pictures: a tar of JPEGs, one folder a class, decoded once into a flat file of bytes; and
 * batches of random crops of them.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { Random } from '../src/core/random.js';
import { writeWhole } from './corpus.js';
import { readTar } from './tar.js';

/** Height and width of the stored pictures. */
export const PICTURE_SIZE = 64;
const BYTES = PICTURE_SIZE * PICTURE_SIZE * 3;

/** Pictures in RGB with the number of each one's class in `classes`, which are sorted. */
export interface Pictures {
  /** `[picture, height, width, 3]` */
  readonly pixels: Buffer;
  readonly labels: Uint16Array;
  readonly classes: readonly string[];
}

/** @param cache - start of the names of the files that keep what was decoded */
export async function loadPictures(tar: string, cache: string): Promise<Pictures> {
  const [pixelPath, labelPath] = [`${cache}.u8`, `${cache}.json`];
  if (!existsSync(labelPath)) {
    const names: string[] = [];
    const parts: Uint8Array[] = [];
    for await (const { name, data } of readTar(tar)) {
      if (!/\.jpe?g$/i.test(name)) continue;
      const picture = sharp(data).resize(PICTURE_SIZE, PICTURE_SIZE, { fit: 'cover' });
      parts.push(await picture.toColourspace('srgb').removeAlpha().raw().toBuffer());
      names.push(name.split('/').at(-2)!);
    }
    await writeWhole(pixelPath, Buffer.concat(parts));
    const classes = [...new Set(names)].sort();
    const numbers = new Map(classes.map((name, i) => [name, i]));
    await writeWhole(labelPath, JSON.stringify({ classes, labels: names.map((name) => numbers.get(name)!) }));
  }
  const { classes, labels } = JSON.parse(await readFile(labelPath, 'utf8')) as {
    classes: string[];
    labels: number[];
  };
  return { pixels: await readFile(pixelPath), labels: Uint16Array.from(labels), classes };
}

/** Whole pictures in [0, 1], `[count, height, width, 3]`: every `stride`-th from `first`, from the start again at the end. */
export function pictureBatch(
  { pixels, labels }: Pictures,
  first: number,
  count: number,
  stride = 1,
): Float32Array {
  const batch = new Float32Array(count * BYTES);
  for (let i = 0; i < count; i++) {
    const start = ((first + i * stride) % labels.length) * BYTES;
    for (let k = 0; k < BYTES; k++) batch[i * BYTES + k] = pixels[start + k]! / 255;
  }
  return batch;
}

/** What one training step reads. */
export interface PictureBatch {
  /** `[batch, size, size, 3]` in [-1, 1] */
  readonly image: Float32Array;
  /** `[batch, class]`, rows sum to 1 */
  readonly target: Float32Array;
}

/** Side of the smallest crop, as a share of the picture. */
const SMALLEST_CROP = 0.6;
const LABEL_SMOOTHING = 0.1;
/** Largest change of brightness, as a factor, and of each colour. */
const JITTER = 0.15;

/**
 * The picture at place `n` of an endless shuffled order, randomly cropped, mirrored and tinted: a pure function of the seed
 * and `n`.
 */
export class PictureStream {
  private order: { epoch: number; pictures: Uint32Array } | undefined;

  constructor(
    private readonly pictures: Pictures,
    private readonly seed: number,
  ) {}

  /** Pictures an epoch. */
  get count(): number {
    return this.pictures.labels.length;
  }

  batch(first: number, batch: number, size: number): PictureBatch {
    const { labels, classes, pixels } = this.pictures;
    const image = new Float32Array(batch * size * size * 3);
    const target = new Float32Array(batch * classes.length).fill(LABEL_SMOOTHING / classes.length);
    for (let row = 0; row < batch; row++) {
      const n = first + row;
      const picture = this.pick(n);
      target[row * classes.length + labels[picture]!]! += 1 - LABEL_SMOOTHING;
      const random = Random.of(this.seed, `picture ${n}`);
      const side = PICTURE_SIZE * (SMALLEST_CROP + (1 - SMALLEST_CROP) * random.uniform());
      const top = (PICTURE_SIZE - side) * random.uniform();
      const left = (PICTURE_SIZE - side) * random.uniform();
      const mirrored = random.uniform() < 0.5;
      const light = 1 + JITTER * (2 * random.uniform() - 1);
      const gains = [0, 1, 2].map(() => light * (1 + (JITTER / 2) * (2 * random.uniform() - 1)));
      const bytes = pixels.subarray(picture * BYTES, (picture + 1) * BYTES);
      resample(
        bytes,
        { top, left, side, mirrored, gains },
        image.subarray(row * size * size * 3, (row + 1) * size * size * 3),
        size,
      );
    }
    return { image, target };
  }

  private pick(n: number): number {
    const epoch = Math.floor(n / this.count);
    if (this.order?.epoch !== epoch) {
      const random = Random.of(this.seed, `pictures of epoch ${epoch}`);
      this.order = { epoch, pictures: random.shuffle(Uint32Array.from({ length: this.count }, (_, i) => i)) };
    }
    return this.order.pictures[n % this.count]!;
  }
}

interface Crop {
  /** Pixels. */
  readonly top: number;
  readonly left: number;
  readonly side: number;
  readonly mirrored: boolean;
  /** Factors of red, green and blue about middle grey. */
  readonly gains: readonly number[];
}

/** Bilinear, pixel centres at halves. */
function resample(
  bytes: Uint8Array,
  { top, left, side, mirrored, gains }: Crop,
  out: Float32Array,
  size: number,
): void {
  const places = (start: number, flip: boolean) => {
    const low = new Int32Array(size);
    const share = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const at = start + (((flip ? size - 1 - i : i) + 0.5) * side) / size - 0.5;
      const inside = Math.max(0, Math.min(PICTURE_SIZE - 1.001, at));
      low[i] = Math.floor(inside);
      share[i] = inside - low[i]!;
    }
    return { low, share };
  };
  const rows = places(top, false);
  const columns = places(left, mirrored);
  const stride = PICTURE_SIZE * 3;
  let k = 0;
  for (let i = 0; i < size; i++) {
    const row = rows.low[i]! * stride;
    const down = rows.share[i]!;
    for (let j = 0; j < size; j++) {
      const at = row + columns.low[j]! * 3;
      const right = columns.share[j]!;
      const [a, b, c, d] = [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right];
      for (let channel = 0; channel < 3; channel++) {
        const p = at + channel;
        const value = a * bytes[p]! + b * bytes[p + 3]! + c * bytes[p + stride]! + d * bytes[p + stride + 3]!;
        out[k++] = (value / 127.5 - 1) * gains[channel]!;
      }
    }
  }
}
