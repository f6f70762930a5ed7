/** @file The task `corpus`: the natural text that excites a unit most. */
import { type CorpusResult, checkScan, scanCorpus } from '../text/corpus/corpus-scan.js';
import { type Cut, corpusFiles } from '../text/corpus/corpus-text.js';
import { openSession } from './open-subject.js';
import type { JobOf } from './schema.js';
import type { Task } from './task.js';

/** Tokens of a window as in a search, and of the longest sentence. */
const DEFAULT_LENGTH = { window: 12, sentence: 40 } as const;

export const corpusTask: Task<'corpus', CorpusResult> = {
  keeps: true,
  places: ['model', 'calibrationText', 'files'],
  async *open(job, signal) {
    const files = corpusFiles(job.files);
    const { unit, top } = job;
    const options = { ...(yield* openSession(job, signal)), unit, top, files, cut: cutOf(job) };
    checkScan(options);
    return {
      model: { name: options.model.name, hash: options.modelHash },
      begin: ({ signal }) => scanCorpus({ ...options, signal }),
    };
  },
};

function cutOf({ sentences, length }: JobOf<'corpus'>): Cut {
  const unit = sentences ? 'sentence' : 'window';
  return { unit, length: length ?? DEFAULT_LENGTH[unit] };
}
