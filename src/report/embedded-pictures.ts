/** @file Pictures of a run as data that a page can hold: small WebP files in base64. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { field } from '../runs/run-view.js';
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

/** The pictures of a run; frames that are missing or damaged are left out. */
export async function embedPictures(run: ReportedRun): Promise<RunPictures> {
  const frames = run.view.frames
    .map((frame) => ({ ...frame, path: join(run.path, frame.file) }))
    .filter(({ path }) => existsSync(path));
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
  const named = field(run.result, 'image');
  const frame = run.view.frames.at(-1)?.file;
  const file = [
    join(run.path, 'picture.png'),
    ...(typeof named === 'string' ? [named] : []),
    ...(frame === undefined ? [] : [join(run.path, frame)]),
  ].find((path) => existsSync(path));
  return file === undefined ? null : embed([file], size);
}

/** One file as it is, several as an animation; null when one cannot be read as a picture. */
async function embed(files: readonly string[], size: number): Promise<EmbeddedPicture | null> {
  const fitted = (file: string) =>
    sharp(file).resize(size, size, { fit: 'inside', withoutEnlargement: true });
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

function evenly<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, i) => list[Math.round((i * (list.length - 1)) / (count - 1))]!);
}
