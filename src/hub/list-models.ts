/** @file The models that can be had without a download. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { readRegularFile, regularSize } from '../core/regular-file.js';
import { cachedModels } from './cache.js';
import { embeddedDictionary, embeddedFolder, embeddedModels } from './embedded.js';
import { smallFileLimit } from './model-files.js';
import { hubSettings } from './settings.js';

export interface ListedModel {
  /** What `--model` takes. */
  name: string;
  folder: string;
  /** `model_type` of the config, or `TensorFlow.js`; null when neither says. */
  architecture: string | null;
  /** On disk, all files together; without its dictionary. */
  bytes: number;
  /** What names the dictionary of its latents before `#` (`sae:books-lm`); null where none comes with it. */
  dictionary: string | null;
  /** False when files are missing, as after a download that was broken off. */
  complete: boolean;
}

/**
 * The embedded models and those in the Hugging Face cache.
 *
 * @param embeddedRoot - folder of embedded models
 * @param cache - Hugging Face cache
 */
export function listModels(
  embeddedRoot = embeddedFolder,
  cache = hubSettings().cache,
): { embedded: ListedModel[]; cached: ListedModel[]; cache: string } {
  const embedded = embeddedModels(embeddedRoot).map((name) => ({
    ...listModel(name, join(embeddedRoot, name), true),
    dictionary: embeddedDictionary(name, embeddedRoot) === null ? null : `sae:${name}`,
  }));
  const cached = cachedModels(cache).map(({ name, folder, missing }) => ({
    ...listModel(name, folder, missing.length === 0),
    dictionary: null,
  }));
  return { embedded, cached, cache };
}

function listModel(name: string, folder: string, complete: boolean): Omit<ListedModel, 'dictionary'> {
  // A link whose blob is gone counts nothing.
  const sizes = readdirSync(folder).map((file) => regularSize(join(folder, file)) ?? 0);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { name, folder, architecture: architecture(folder), bytes, complete };
}

function architecture(folder: string): string | null {
  try {
    const text = readRegularFile(join(folder, 'config.json'), smallFileLimit).toString();
    return z.object({ model_type: z.string() }).parse(JSON.parse(text)).model_type;
  } catch {
    return existsSync(join(folder, 'model.json')) ? 'TensorFlow.js' : null;
  }
}
