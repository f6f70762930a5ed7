/** @file The models that come with the package, one folder each under `models/`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's `models/`. */
export const embeddedFolder = fileURLToPath(new URL('../../models', import.meta.url));

/** Names of the embedded models, sorted: the folders that hold a `config.json` or a `model.json`. */
export function embeddedModels(folder = embeddedFolder): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => isModelFolder(join(folder, name)))
    .sort();
}

/**
 * The folder of the dictionary that comes with an embedded model: what `sae:NAME#0` reads. Null where there is none.
 *
 * @param folder - of embedded models
 */
export function embeddedDictionary(name: string, folder = embeddedFolder): string | null {
  if (!embeddedModels(folder).includes(name)) return null;
  const dictionary = join(folder, name, 'dictionary');
  return existsSync(dictionary) ? dictionary : null;
}

/** Whether a folder holds a model: Hugging Face layout, or TensorFlow.js. */
export function isModelFolder(folder: string): boolean {
  return ['config.json', 'model.json'].some((name) => existsSync(join(folder, name)));
}
