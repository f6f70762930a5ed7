/** @file `checkpoint.json` in a run folder: where a run stands that is resumed from there. */
import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import type { Saving } from '../runs/checkpoints.js';
import { runFile } from '../runs/run-file.js';
import type { RunFolder } from '../runs/run-folder.js';

const CHECKPOINT = 'checkpoint.json';
const EVERY_SECONDS = 3;
/** Bytes of a checkpoint: far more than texts ever take. */
const MOST_BYTES = 1e9;

export const savingTo = (folder: RunFolder): Saving<object> => ({
  everySeconds: EVERY_SECONDS,
  save(checkpoint) {
    try {
      folder.writeFile(CHECKPOINT, `${JSON.stringify(checkpoint)}\n`);
    } catch (error) {
      // The run goes on; where its folder has gone, its end says so.
      if (!(error instanceof UserError)) throw error;
    }
  },
});

/** The last checkpoint of a run, undefined before the first. Throws UserError for a damaged one. */
export function readRunCheckpoint<T>(run: string, schema: z.ZodType<T>): T | undefined {
  const path = runFile(run, CHECKPOINT);
  if (!existsSync(path)) return undefined;
  const text = readRegularFile(path, MOST_BYTES).toString('utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${path} is damaged: the run cannot be resumed; start a new one`, { cause: error });
  }
}
