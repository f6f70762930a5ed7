/** @file The built command, spawned as a user would. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** `dist/cli/`, with a slash at the end. */
export const builtFolder = new URL('../../dist/cli/', import.meta.url);
export const bin = fileURLToPath(new URL('bin.js', builtFolder));

export interface Ended {
  /** As a shell reports it: 128 and the signal's number where a signal ended it. */
  code: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts Node, without a terminal and without colours of the surroundings. */
export function start(
  nodeArguments: readonly string[],
  env: NodeJS.ProcessEnv = {},
  folder = process.cwd(),
): Child {
  const { NO_COLOR: _, FORCE_COLOR: __, ...surroundings } = process.env;
  return spawn(process.execPath, nodeArguments, {
    cwd: folder,
    env: { ...surroundings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** How a process ended, and all it wrote. */
export function end(child: Child): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  return new Promise((resolve) =>
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 128 + constants.signals[signal!], signal, stdout, stderr }),
    ),
  );
}
