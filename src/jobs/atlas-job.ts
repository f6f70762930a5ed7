/** @file The task `atlas`: texts for very many units of a language model in one search. */
import type { Run } from '../runs/events.js';
import type { RunReading } from '../runs/read-run.js';
import { type AtlasResult, searchAtlas } from '../text/atlas/atlas.js';
import type { AtlasBudget, AtlasOptions } from '../text/atlas/atlas-options.js';
import { atlasCheckpoint } from '../text/atlas/checkpoint.js';
import { checkAtlas } from '../text/atlas/open-arena.js';
import { exampleOf } from '../text/atlas/unit-pattern.js';
import { corpusFiles } from '../text/corpus/corpus-text.js';
import { furtherBudget } from '../text/search/resume.js';
import { AtlasFiles } from './atlas-files.js';
import { readCheckpoint, savingTo } from './checkpoint-file.js';
import { openSession } from './open-subject.js';
import type { JobOf } from './schema.js';
import type { More, RunContext, Task } from './task.js';

export const atlasTask: Task<'atlas', AtlasResult> = {
  keeps: true,
  pathFields: ['model', 'calibrationText', 'naturalText'],
  outputFields: [],
  async *open(job, signal, given) {
    const { units, length, naturalText } = job;
    const session = yield* openSession({ ...job, units: units.map(exampleOf) }, signal, given.model);
    const options: AtlasOptions = {
      ...{ ...session, units, length, budget: budgetOf(job) },
      ...(naturalText.length > 0 && { naturalText: corpusFiles(naturalText) }),
    };
    checkAtlas(options);
    return {
      model: { name: session.model.name, hash: session.modelHash },
      begin: (context) => atlasToFiles(options, context),
    };
  },
};

async function* atlasToFiles(
  options: AtlasOptions,
  { folder, signal, earlier }: RunContext,
): Run<AtlasResult> {
  const files = folder && new AtlasFiles(folder);
  const before = earlier && earlierAtlas(earlier.reading);
  const all: AtlasOptions = {
    ...{ ...options, signal },
    ...(folder && { saving: savingTo(folder) }),
    ...(before && { earlier: before }),
    ...(before?.checkpoint && { budget: further(options.budget, before.checkpoint, earlier!.more) }),
  };
  const result = yield* searchAtlas(all, (units) => files?.add(units));
  files?.finish();
  return result;
}

function budgetOf({ seconds, evaluations }: JobOf<'atlas'>): AtlasBudget {
  if (seconds !== undefined) return { seconds };
  return evaluations === undefined ? { growth: true } : { evaluations };
}

const earlierAtlas = ({ path, events }: RunReading) => ({
  checkpoint: readCheckpoint(path, atlasCheckpoint),
  clock: events.at(-1)?.at ?? 0,
});

function further(
  budget: AtlasBudget,
  spent: { readonly seconds: number; readonly evaluations: number },
  more: More,
): AtlasBudget {
  const earlier = { ...spent, found: [], clock: 0 };
  if (!('growth' in budget)) return furtherBudget(budget, earlier, more);
  const { seconds, evaluations } = more;
  return seconds === undefined && evaluations === undefined
    ? budget
    : furtherBudget({ seconds: 0 }, earlier, more);
}
