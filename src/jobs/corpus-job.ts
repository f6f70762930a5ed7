/** @file The task `corpus`: the natural text that excites a unit most. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import type { Run } from '../runs/events.js';
import type { RunReading } from '../runs/read-run.js';
import type { CorpusResult, CorpusScanOptions } from '../text/corpus/corpus-scan.js';
import type { CorpusFile, Cut } from '../text/corpus/corpus-text.js';
import { textBounds, textDefaults } from '../text/names.js';
import { name, names, probe, textLength, within } from './fields.js';
import { defineTask, type Opened, type RunContext } from './task.js';

const schema = z.strictObject({
  task: z.literal('corpus'),
  ...probe,
  unit: name,
  /** Text files, or folders of them. */
  files: names,
  /** Whole sentences instead of windows of equal length. */
  sentences: z.boolean().default(false),
  /** Tokens of a window, or of the longest sentence; null = as in a search, or 40 for sentences. */
  length: textLength.nullable().default(null),
  /** How many of the strongest texts are kept beside the frontier. */
  top: within(textBounds.top).default(textDefaults.top),
});

export const corpusTask = defineTask({
  schema,
  reads: 'text',
  keeps: true,
  pathFields: ['model', 'calibrationText', 'files'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<CorpusResult>> {
    const { checkScan } = await import('../text/corpus/corpus-scan.js');
    const { corpusFiles } = await import('../text/corpus/corpus-text.js');
    const { openSession, recordedModel } = await import('./open-text-model.js');
    const files = corpusFiles(job.files);
    const { unit, top } = job;
    const options = { ...(yield* openSession(job, signal, given.model)), unit, top, files, cut: cutOf(job) };
    checkScan(options);
    return { model: recordedModel(options), begin: (context) => scan(options, context) };
  },
});

async function* scan(options: CorpusScanOptions, { folder, signal, earlier }: RunContext): Run<CorpusResult> {
  const { scanCorpus } = await import('../text/corpus/corpus-scan.js');
  const { savingTo } = await import('./checkpoint-file.js');
  return yield* scanCorpus({
    ...options,
    signal,
    ...(folder && { saving: savingTo(folder) }),
    ...(earlier && { earlier: await earlierScan(earlier.reading, options.files) }),
  });
}

/**
 * What a run left. One that was stopped before its first checkpoint begins anew.
 *
 * @throws UserError when its checkpoint is damaged, or the files are not the same any more
 */
async function earlierScan({ path, events }: RunReading, files: readonly CorpusFile[]) {
  const { scanCheckpoint } = await import('../text/corpus/scan-state.js');
  const { readRunCheckpoint } = await import('./checkpoint-file.js');
  const clock = events.at(-1)?.at ?? 0;
  const checkpoint = readRunCheckpoint(path, scanCheckpoint);
  if (!checkpoint) return { clock };
  if (!isDeepStrictEqual(checkpoint.files, files))
    throw new UserError(
      `the files of the corpus have changed since the run ${path} was stopped; start a new run`,
    );
  return { clock, checkpoint };
}

function cutOf({ sentences, length }: z.output<typeof schema>): Cut {
  return sentences
    ? { unit: 'sentence', length: length ?? textDefaults.sentence }
    : { unit: 'window', length: length ?? textDefaults.length };
}
