/** @file The task `corpus`: the natural text that excites a unit most. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../core/errors.js';
import type { RunReading } from '../runs/read-run.js';
import { type CorpusResult, checkScan, scanCorpus } from '../text/corpus/corpus-scan.js';
import { type CorpusFile, type Cut, corpusFiles } from '../text/corpus/corpus-text.js';
import { scanCheckpoint } from '../text/corpus/scan-state.js';
import { textDefaults } from '../text/names.js';
import { readCheckpoint, savingTo } from './checkpoint-file.js';
import { openSession, recordedModel } from './open-subject.js';
import type { JobOf } from './schema.js';
import type { Task } from './task.js';

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
      model: recordedModel(options),
      begin({ folder, signal, earlier }) {
        return scanCorpus({
          ...{ ...options, signal },
          ...(folder && { saving: savingTo(folder) }),
          ...(earlier && { earlier: earlierScan(earlier.reading, files) }),
        });
      },
    };
  },
};

/**
 * What a run left. One that was stopped before its first checkpoint begins anew.
 *
 * @throws UserError when its checkpoint is damaged, or the files are not the same any more
 */
function earlierScan({ path, events }: RunReading, files: readonly CorpusFile[]) {
  const clock = events.at(-1)?.at ?? 0;
  const checkpoint = readCheckpoint(path, scanCheckpoint);
  if (!checkpoint) return { clock };
  if (!isDeepStrictEqual(checkpoint.files, files))
    throw new UserError(
      `the files of the corpus have changed since the run ${path} was stopped; start a new run`,
    );
  return { clock, checkpoint };
}

function cutOf({ sentences, length }: JobOf<'corpus'>): Cut {
  return sentences
    ? { unit: 'sentence', length: length ?? textDefaults.sentence }
    : { unit: 'window', length: length ?? textDefaults.length };
}
