/** @file Pictures of a run as data that a page can hold: small WebP files in base64. */
import sharp from 'sharp';
import { evenly } from '../core/evenly.js';
import { readRegularFile, regularSize } from '../core/regular-file.js';
import { runFile } from '../runs/run-file.js';
import type { ReportedRun } from './reported-run.js';

export interface EmbeddedPicture {
  /** `data:image/webp;base64,…` */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

export interface RunPictures {
  readonly final: EmbeddedPicture | null;
  readonly film: readonly {
    readonly picture: EmbeddedPicture;
    readonly step: number;
    readonly activation: number;
  }[];
  /** All frames one after the other; null where there are fewer than two. */
  readonly animation: EmbeddedPicture | null;
}

/** Pixels along the longer side. */
const sizes = { final: 448, film: 112, animation: 224 } as const;
/** Frames that a page shows and plays. */
const counts = { film: 8, animation: 24 } as const;
const FRAME_MILLISECONDS = 120;
/** Frames that are looked for on disk, from the first to the last. */
const FRAMES_LOOKED_FOR = 200;
/** What a picture of others may take: bytes, and pixels when it is decoded. */
const LARGEST_FILE = 64 * 1024 ** 2;
const MOST_PIXELS = 64 * 1024 ** 2;

/** The pictures of a run; frames that are missing, damaged or outside of its folder are left out. */
export async function embedPictures(run: ReportedRun): Promise<RunPictures> {
  const frames = evenly(run.view.frames, FRAMES_LOOKED_FOR).flatMap((frame) => {
    const path = pictureFile(run, frame.file);
    return path === null ? [] : [{ ...frame, path }];
  });
  const film = [];
  for (const { path, step, activation } of evenly(frames, counts.film)) {
    const picture = await embed([path], sizes.film);
    if (picture) film.push({ picture, step, activation });
  }
  const moving = evenly(frames, counts.animation).map(({ path }) => path);
  return {
    final: await embedFinal(run),
    film,
    animation: moving.length < 2 ? null : await embed(moving, sizes.animation),
  };
}

/** The picture that a run ended with, or its last frame. */
export async function embedFinal(
  run: ReportedRun,
  size: number = sizes.final,
): Promise<EmbeddedPicture | null> {
  const names = ['picture.png', run.view.frames.at(-1)?.file].filter((name) => name !== undefined);
  const file = names.map((name) => pictureFile(run, name)).find((path) => path !== null);
  return file === undefined ? null : embed([file], size);
}

/** A picture of the run's folder; null for what is not there, and for names that lead out of it. */
function pictureFile(run: ReportedRun, name: string): string | null {
  try {
    const file = runFile(run.path, name);
    return regularSize(file) === null ? null : file;
  } catch {
    return null;
  }
}

/** One file as it is, several as an animation; null when one cannot be read as a picture. */
async function embed(files: readonly string[], size: number): Promise<EmbeddedPicture | null> {
  const fitted = (file: string) =>
    sharp(readRegularFile(file, LARGEST_FILE), { limitInputPixels: MOST_PIXELS }).resize(size, size, {
      fit: 'inside',
      withoutEnlargement: true,
    });
  try {
    const pictures = await Promise.all(
      files.map((file) => fitted(file).png().toBuffer({ resolveWithObject: true })),
    );
    const { width, height } = pictures[0]!.info;
    const whole =
      pictures.length === 1
        ? sharp(pictures[0]!.data)
        : sharp(
            pictures.map(({ data }) => data),
            { join: { animated: true } },
          );
    const webp = await whole.webp({ quality: 82, loop: 0, delay: FRAME_MILLISECONDS }).toBuffer();
    return { source: `data:image/webp;base64,${webp.toString('base64')}`, width, height };
  } catch {
    return null;
  }
}
