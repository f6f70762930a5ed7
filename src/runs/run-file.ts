/** @file The files of a run folder by name. Every reader and writer of one asks here: none leads out of the folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { inside } from '../core/inside.js';

/**
 * The path of a file of a run, which need not exist.
 *
 * @param run - the run folder
 * @param name - relative to it, with `/`: `frames/000010.png`; a log of others may name anything
 * @throws UserError when the name, or a link that has it, leads out of the folder
 */
export const runFile = (run: string, name: string): string => inside(run, name, `the run folder ${run}`);

/** Whether a path is a run folder: it has a log, or says what was asked. */
export function isRunFolder(path: string): boolean {
  return ['events.jsonl', 'run.json'].some((name) => existsSync(join(path, name)));
}

/** @throws UserError when `path` is no run folder */
export function checkRunFolder(path: string): void {
  if (isRunFolder(path)) return;
  const what = existsSync(path) ? 'it has neither run.json nor events.jsonl' : 'there is no such folder';
  throw new UserError(`${path} is not a run folder: ${what}; give a folder that superstim wrote under runs/`);
}
