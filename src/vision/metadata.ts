/** @file What files beside a network say of its pictures: those of transformers, timm and Teachable Machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { meanStd, type Preprocessing, range } from './preprocess.js';
import { readJsonFile } from './readers/json-file.js';

/** What is missing is not said. */
export interface InputMetadata {
  readonly preprocessing?: Preprocessing;
  /** Height and width. */
  readonly size?: number;
}

const three = z.array(z.number()).length(3);
const positive = z.array(z.number().positive()).length(3);
const side = z.int().positive();

const timmSchema = z.object({
  pretrained_cfg: z
    .object({
      mean: three.optional(),
      std: positive.optional(),
      input_size: z.tuple([z.int(), side], z.int()).optional(),
    })
    .optional(),
});

const sizeSchema = z.union([
  side.transform((height) => ({ height, shortest_edge: undefined })),
  z.object({ height: side.optional(), shortest_edge: side.optional() }),
]);

const processorSchema = z.object({
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().positive().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: three.optional(),
  image_std: positive.optional(),
  size: sizeSchema.optional(),
  crop_size: sizeSchema.optional(),
});

const teachableSchema = z.object({ packageName: z.string().optional(), imageSize: side.optional() });

/** The first of the known files in a folder that says something. Throws UserError for one that is damaged. */
export function inputMetadata(folder: string): InputMetadata {
  return transformersInput(folder) ?? timmInput(folder) ?? teachableInput(folder) ?? {};
}

function readIfThere<T>(path: string, schema: z.ZodType<T>): T | null {
  return existsSync(path) ? readJsonFile(path, schema) : null;
}

/** `preprocessor_config.json` of transformers: pixels from 0 to 255, times a factor, then normalized. */
function transformersInput(folder: string): InputMetadata | null {
  const config = readIfThere(join(folder, 'preprocessor_config.json'), processorSchema);
  if (!config) return null;
  const factor = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  const normalizes = config.do_normalize ?? config.image_mean !== undefined;
  const { image_mean: mean = [0, 0, 0], image_std: std = [1, 1, 1] } = normalizes ? config : {};
  const { scale, offset } = meanStd(mean, std);
  const saysRange = normalizes || config.do_rescale !== undefined;
  const area = config.crop_size ?? config.size;
  const size = area?.height ?? area?.shortest_edge;
  return {
    ...(saysRange && {
      preprocessing: { order: 'rgb', scale: scale.map((s) => s * factor * 255), offset } as const,
    }),
    ...(size !== undefined && { size }),
  };
}

/** The `config.json` that timm puts beside its weights. */
function timmInput(folder: string): InputMetadata | null {
  const config = readIfThere(join(folder, 'config.json'), timmSchema)?.pretrained_cfg;
  return config
    ? {
        ...(config.mean && config.std ? { preprocessing: meanStd(config.mean, config.std) } : {}),
        ...(config.input_size ? { size: config.input_size[1] } : {}),
      }
    : null;
}

/** The `metadata.json` of Teachable Machine, whose pictures are those of MobileNet. */
function teachableInput(folder: string): InputMetadata | null {
  const metadata = readIfThere(join(folder, 'metadata.json'), teachableSchema);
  return metadata?.packageName === '@teachablemachine/image' ? { preprocessing: range(-1, 1) } : null;
}
