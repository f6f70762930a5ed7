/** @file The task `corpus`: the natural text that excites a unit most. */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import type { RunReading } from '../runs/read-run.js';
import { runFile } from '../runs/run-file.js';
import type { RunFolder } from '../runs/run-folder.js';
import { type CorpusResult, checkScan, scanCorpus } from '../text/corpus/corpus-scan.js';
import { type CorpusFile, type Cut, corpusFiles } from '../text/corpus/corpus-text.js';
import { type ScanCheckpoint, scanCheckpoint } from '../text/corpus/scan-state.js';
import { textDefaults } from '../text/names.js';
import { openSession } from './open-subject.js';
import type { JobOf } from './schema.js';
import type { Task } from './task.js';

const CHECKPOINT = 'checkpoint.json';
const EVERY_SECONDS = 3;
/** Bytes of a checkpoint: far more than sequences that wait and the strongest texts ever take. */
const MOST_BYTES = 1e9;

export const corpusTask: Task<'corpus', CorpusResult> = {
  keeps: true,
  pathFields: ['model', 'calibrationText', 'files'],
  outputFields: [],
  async *open(job, signal, given) {
    const files = corpusFiles(job.files);
    const { unit, top } = job;
    const options = { ...(yield* openSession(job, signal, given.model)), unit, top, files, cut: cutOf(job) };
    checkScan(options);
    return {
      model: { name: options.model.name, hash: options.modelHash },
      begin({ folder, signal, earlier }) {
        const saving = folder && { everySeconds: EVERY_SECONDS, save: savingTo(folder) };
        return scanCorpus({
          ...{ ...options, signal },
          ...(saving && { saving }),
          ...(earlier && { earlier: earlierScan(earlier.reading, files) }),
        });
      },
    };
  },
};

const savingTo = (folder: RunFolder) => (checkpoint: ScanCheckpoint) =>
  void folder.writeFile(CHECKPOINT, `${JSON.stringify(checkpoint)}\n`);

/**
 * What a run left. One that was stopped before its first checkpoint begins anew.
 *
 * @throws UserError when its checkpoint is damaged, or the files are not the same any more
 */
function earlierScan({ path, events }: RunReading, files: readonly CorpusFile[]) {
  const clock = events.at(-1)?.at ?? 0;
  const file = runFile(path, CHECKPOINT);
  if (!existsSync(file)) return { clock };
  const checkpoint = readScanCheckpoint(file);
  if (!isDeepStrictEqual(checkpoint.files, files))
    throw new UserError(
      `the files of the corpus have changed since the run ${path} was stopped; start a new run`,
    );
  return { clock, checkpoint };
}

function readScanCheckpoint(path: string): ScanCheckpoint {
  const text = readRegularFile(path, MOST_BYTES).toString('utf8');
  try {
    return scanCheckpoint.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${path} is damaged: the run cannot be resumed; start a new one`, { cause: error });
  }
}

function cutOf({ sentences, length }: JobOf<'corpus'>): Cut {
  return sentences
    ? { unit: 'sentence', length: length ?? textDefaults.sentence }
    : { unit: 'window', length: length ?? textDefaults.length };
}
