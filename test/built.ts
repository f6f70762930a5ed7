/** @file Before tests that run the built program: builds it where `dist` is missing or older than `src`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildRecord } from '../tools/build.js';

const source = fileURLToPath(new URL('../src', import.meta.url));

export default function setup(): void {
  const built = existsSync(buildRecord) ? statSync(buildRecord).mtimeMs : 0;
  // Folders too: they change when a file goes.
  const all = ['.', ...readdirSync(source, { recursive: true, encoding: 'utf8' })];
  const isOlder = all.some(
    (path) => !/\.test\.tsx?$/.test(path) && statSync(join(source, path)).mtimeMs > built,
  );
  // Errors of types are shown, and no reason to test nothing.
  if (isOlder) build();
}
