/** @file The task `atlas`: texts for very many units of a language model in one search. */
import { z } from 'zod';
import type { Run } from '../runs/events.js';
import type { RunReading } from '../runs/read-run.js';
import type { AtlasResult } from '../text/atlas/atlas.js';
import type { AtlasBudget, AtlasOptions } from '../text/atlas/atlas-options.js';
import { textBounds, textDefaults } from '../text/names.js';
import { above0, isOneBudget, name, names, oneBudget, probe, textLength, within } from './fields.js';
import { defineTask, type EarlierRun, type Opened, type RunContext } from './task.js';

const schema = z
  .strictObject({
    task: z.literal('atlas'),
    ...probe,
    /** Names of units, and patterns of names: `L*.H*`. */
    units: names,
    /** Tokens after BOS. */
    length: textLength.default(textDefaults.length),
    /** The budget; none of the two = until frontiers hardly grow. */
    seconds: above0.optional(),
    evaluations: within(textBounds.evaluations).optional(),
    /** Files and folders of natural text that is read too. */
    naturalText: z.array(name).default([]),
  })
  .refine(isOneBudget, oneBudget);

export const atlasTask = defineTask({
  schema,
  reads: 'text',
  takesPatterns: true,
  keeps: true,
  isSearch: true,
  pathFields: ['model', 'calibrationText', 'naturalText'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<AtlasResult>> {
    const { checkAtlas } = await import('../text/atlas/open-arena.js');
    const { exampleOf } = await import('../text/atlas/unit-pattern.js');
    const { corpusFiles } = await import('../text/corpus/corpus-text.js');
    const { openSession } = await import('./open-text-model.js');
    const { units, length, naturalText } = job;
    const session = yield* openSession({ ...job, units: units.map(exampleOf) }, signal, given.model);
    const options: AtlasOptions = {
      ...session,
      units,
      length,
      budget: budgetOf(job),
      ...(naturalText.length > 0 && { naturalText: corpusFiles(naturalText) }),
    };
    checkAtlas(options);
    return {
      model: { name: session.model.name, hash: session.modelHash },
      begin: (context) => atlasToFiles(options, context),
    };
  },
});

async function* atlasToFiles(
  options: AtlasOptions,
  { folder, signal, earlier }: RunContext,
): Run<AtlasResult> {
  const { searchAtlas } = await import('../text/atlas/atlas.js');
  const { AtlasFiles } = await import('./atlas-files.js');
  const { savingTo } = await import('./checkpoint-file.js');
  const files = folder && new AtlasFiles(folder);
  const before = earlier && (await earlierAtlas(earlier.reading));
  const all: AtlasOptions = {
    ...options,
    signal,
    ...(folder && { saving: savingTo(folder) }),
    ...(before && { earlier: before }),
    ...(before?.checkpoint && { budget: await further(options.budget, before.checkpoint, earlier!) }),
  };
  const result = yield* searchAtlas(all, (units) => files?.add(units));
  files?.finish();
  return result;
}

function budgetOf({ seconds, evaluations }: z.output<typeof schema>): AtlasBudget {
  if (seconds !== undefined) return { seconds };
  return evaluations === undefined ? { growth: true } : { evaluations };
}

async function earlierAtlas({ path, events }: RunReading) {
  const { atlasCheckpoint } = await import('../text/atlas/checkpoint.js');
  const { readRunCheckpoint } = await import('./checkpoint-file.js');
  return { checkpoint: readRunCheckpoint(path, atlasCheckpoint), clock: events.at(-1)?.at ?? 0 };
}

async function further(
  budget: AtlasBudget,
  spent: { readonly seconds: number; readonly evaluations: number },
  { more, reading }: EarlierRun,
): Promise<AtlasBudget> {
  const { furtherBudget } = await import('../text/search/resume.js');
  if (!('growth' in budget)) return furtherBudget(budget, spent, more, reading.state === 'done');
  const { seconds, evaluations } = more;
  return seconds === undefined && evaluations === undefined
    ? budget
    : furtherBudget({ seconds: 0 }, spent, more, false);
}
