/** @file Runs a text search into a run folder, and what the folder must keep to go on with it later. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { finishRun, type JsonValue } from '../../runs/events.js';
import type { RunFolder } from '../../runs/run-folder.js';
import type { Budget, SearchOptions } from '../../text/search/search.js';
import type { Output } from '../output.js';
import { showProgress } from '../progress.js';
import type { ProbeFlags } from './text-options.js';
import type { TextDocument } from './text-result.js';

type Search = Pick<SearchOptions, 'unit' | 'method' | 'length' | 'budget' | 'quietOn'>;

/** `settings` of run.json. */
export function textSettings(
  { model, reference, measure, at, engine, calibrateOn }: ProbeFlags,
  { method, length, budget, quietOn = [] }: Search,
): { [name: string]: JsonValue } {
  // A folder is found again from wherever the run is gone on with.
  const place = existsSync(model) ? resolve(model) : model;
  const corpus = calibrateOn === undefined ? null : resolve(calibrateOn);
  return {
    model: place,
    method,
    reference,
    measure,
    at,
    length,
    ...budget,
    engine,
    corpus,
    quietOn: [...quietOn],
  };
}

/** What `textSettings` wrote. */
export function readTextSettings(settings: { [name: string]: JsonValue }): {
  flags: Omit<ProbeFlags, 'seed'>;
  search: Omit<Search, 'unit'>;
} {
  const { model, reference, measure, at, engine, corpus, method, length, quietOn } = settings;
  const budget = (
    'evaluations' in settings ? { evaluations: settings.evaluations } : { seconds: settings.seconds }
  ) as Budget;
  return {
    flags: { model, reference, measure, at, engine, ...(corpus && { calibrateOn: corpus }) } as never,
    search: { method, length, budget, quietOn } as never,
  };
}

/** Searches, events into the folder and progress on stderr. */
export async function searchInto(
  folder: RunFolder,
  options: SearchOptions,
  output: Output,
): Promise<TextDocument> {
  const { recordRun } = await import('../../runs/run-folder.js');
  const { searchText } = await import('../../text/search/search.js');
  const result = await finishRun(showProgress(recordRun(folder, searchText(options)), output));
  folder.writeFrontier(result.frontier);
  return { run: folder.path, ...result };
}
