/**
 * @file `npm run build`: compiles `src` to `dist`, and removes from there what no source compiles to any more, as after
 * a move: it would be packed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Where tsc keeps what it knows; as old as the last build. */
export const buildRecord = join(root, 'dist', '.tsbuildinfo');

/** Returns tsc's exit status: 0 when there is no error of types. It has compiled in any case. */
export function build(): number {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const arguments_ = [tsc, '-p', 'tsconfig.build.json'];
  const { status } = spawnSync(process.execPath, arguments_, { cwd: root, stdio: 'inherit' });
  removeStale(join(root, 'src'), join(root, 'dist'));
  const now = new Date();
  utimesSync(buildRecord, now, now);
  return status ?? 1;
}

/** Removes compiled files without a source, and folders without a folder. */
export function removeStale(source: string, compiled: string): void {
  for (const entry of readdirSync(compiled, { withFileTypes: true })) {
    const path = join(compiled, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(source, entry.name))) removeStale(join(source, entry.name), path);
      else rmSync(path, { recursive: true });
      continue;
    }
    const stem = /^(.+?)(\.d\.ts|\.js)$/.exec(entry.name)?.[1];
    if (stem === undefined) continue;
    const hasSource = ['.ts', '.tsx'].some((ending) => existsSync(join(source, stem + ending)));
    if (!hasSource) rmSync(path);
  }
}

if (import.meta.url === pathToFileURL(argv[1]!).href) process.exitCode = build();
