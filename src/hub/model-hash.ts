/** @file A hash of a model's files: what `run.json` keeps, and what statistics are cached under. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hashFile } from './file-hash.js';

/** Files that make a model what it is; cards, statistics and the like do not. */
const essential =
  /^(config\.json|model\.json|tokenizer\.json|.*\.onnx|.*\.safetensors(\.index\.json)?|.*shard\d+of\d+(\.bin)?)$/;

/**
 * SHA-256 over names and contents of the files that define a model, as 64 hex digits. A copy of a folder has the
 * same hash. Files of the Hugging Face cache are not read: their blobs are named by their SHA-256.
 * Of other large files, hashes are kept (`file-hash.ts`).
 *
 * @param path - a folder in the layout of Hugging Face or TensorFlow.js, or one file (for a model.json its folder)
 */
export async function hashModel(path: string): Promise<string> {
  if (statSync(path).isFile() && basename(path) !== 'model.json') return contentHash(path);
  const folder = statSync(path).isFile() ? dirname(path) : path;
  const names = readdirSync(folder).filter((name) => essential.test(name) && existsSync(join(folder, name)));
  const whole = createHash('sha256');
  for (const name of names.sort()) whole.update(`${name}\0${await contentHash(join(folder, name))}\n`);
  return whole.digest('hex');
}

async function contentHash(path: string): Promise<string> {
  const blob = realpathSync(path);
  if (basename(dirname(blob)) === 'blobs' && /^[0-9a-f]{64}$/.test(basename(blob))) return basename(blob);
  return hashFile(blob);
}
