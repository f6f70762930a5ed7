/** @file A job in a file of its own, or in a run folder. */
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import { decodeDescription } from '../runs/description.js';
import { isRunFolder, runFile } from '../runs/run-file.js';
import { fromOldJob } from './old-jobs.js';

/** Bytes of the largest job: its texts are short. */
const LARGEST = 16 * 1024 * 1024;

/**
 * The data of a job, not yet checked (`readJob`).
 *
 * @param path - a JSON file or a run folder; those of older versions are brought up to date
 * @throws UserError when it cannot be read or is no JSON
 */
export function readJobFile(path: string): unknown {
  const file = isRunFolder(path) ? runFile(path, 'run.json') : path;
  const bytes = readRegularFile(file, LARGEST);
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new UserError(`${file} is no JSON: a job is an object such as {"task":"text","unit":"L2.H5"}`);
  }
  const recorded = decodeDescription(data);
  return recorded ? fromOldJob(recorded) : data;
}
