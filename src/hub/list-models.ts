/** @file The models that can be had without a download. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cachedModels } from './cache.js';
import { embeddedFolder, embeddedModels } from './embedded.js';
import { hubSettings } from './settings.js';

export interface ListedModel {
  /** What `--model` takes. */
  name: string;
  folder: string;
  /** `model_type` of the config, `format` of a TensorFlow.js model; null when it says neither. */
  architecture: string | null;
  /** On disk, all files together. */
  bytes: number;
  /** False when files are missing, as after a download that was broken off. */
  complete: boolean;
}

/**
 * The embedded models and those in the Hugging Face cache.
 *
 * @param embeddedRoot - folder of embedded models
 * @param cache - Hugging Face cache
 */
export function listModels(embeddedRoot = embeddedFolder, cache = hubSettings().cache) {
  const embedded = embeddedModels(embeddedRoot).map((name) =>
    listModel(name, join(embeddedRoot, name), true),
  );
  const cached = cachedModels(cache).map(({ name, folder, missing }) =>
    listModel(name, folder, missing.length === 0),
  );
  return { embedded, cached, cache };
}

function listModel(name: string, folder: string, complete: boolean): ListedModel {
  // A link whose blob is gone counts nothing.
  const sizes = readdirSync(folder).map(
    (file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { name, folder, architecture: architecture(folder), bytes, complete };
}

/** Where each kind of model says what it is. */
const declarations = [
  ['config.json', 'model_type'],
  ['model.json', 'format'],
] as const;

function architecture(folder: string): string | null {
  if (existsSync(join(folder, 'model.json'))) return 'TensorFlow.js';
  for (const [file, field] of declarations) {
    try {
      const value = (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>)[field];
      if (typeof value === 'string') return value;
    } catch {
      // Not there, or no JSON: it says nothing.
    }
  }
  return null;
}
