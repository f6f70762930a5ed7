/** @file Runs a text search into a run folder, and what the folder must keep to go on with it later. */
import { resolve } from 'node:path';
import { finishRun, type JsonValue } from '../../runs/events.js';
import type { RunFolder } from '../../runs/run-folder.js';
import type { TextModel } from '../../text/lm/model.js';
import { recordedProbe } from '../../text/readouts/recorded-settings.js';
import type { Budget, SearchOptions } from '../../text/search/search.js';
import type { Output } from '../output.js';
import { showProgress } from '../progress.js';
import { type WatchOptions, watchRun } from '../watch-run.js';
import { type ProbeFlags, placeOf } from './text-options.js';
import type { TextDocument } from './text-result.js';

type Search = Pick<SearchOptions, 'unit' | 'method' | 'length' | 'budget' | 'quietOn' | 'gamma' | 'lambda'>;

/** What a search may be given beside the model that it probes. */
interface RivalFlags {
  /** Files or folders of natural text. */
  corpus?: readonly string[];
  /** The model whose probability counts. */
  prior?: string;
  /** A run of `superstim tune`, or an adapter. */
  policy?: string;
}

/** Opens what the flags name. @throws UserError for what is not there */
export async function openRivals(
  { corpus, prior, engine }: RivalFlags & Pick<ProbeFlags, 'engine'>,
  output: Output,
  signal: AbortSignal,
): Promise<Pick<SearchOptions, 'naturalText' | 'fluency'>> {
  const { corpusFiles } = await import('../../text/corpus/corpus-text.js');
  const rivals = corpus ? { naturalText: corpusFiles(corpus) } : {};
  if (prior === undefined) return rivals;
  const { resolveModel } = await import('../../hub/resolve-model.js');
  const { openFluencyModel } = await import('../../text/fluency/open-fluency.js');
  const { folder } = await finishRun(showProgress(resolveModel(prior, { signal }), output));
  return { ...rivals, fluency: await openFluencyModel(folder, engine) };
}

/** Opens `--policy`. @throws UserError when it is no adapter of the model */
export async function policyOf(
  { policy }: RivalFlags,
  model: TextModel,
): Promise<Pick<SearchOptions, 'policy'>> {
  if (policy === undefined) return {};
  const { openPolicy } = await import('../../rl/open-policy.js');
  return { policy: openPolicy(policy, model) };
}

/** `settings` of run.json. */
export function textSettings(
  { model, reference, measure, at, engine, calibrateOn }: ProbeFlags,
  { method, length, budget, quietOn = [], gamma, lambda }: Search,
  { corpus: texts = [], prior, policy }: RivalFlags,
): { [name: string]: JsonValue } {
  // A folder is found again from wherever the run is gone on with.
  const place = placeOf(model);
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
    ...(gamma !== undefined && { gamma }),
    ...(lambda !== undefined && { lambda }),
    texts: texts.map(placeOf),
    prior: prior === undefined ? null : placeOf(prior),
    policy: policy === undefined ? null : placeOf(policy),
  };
}

/** What `textSettings` wrote. */
export function readTextSettings(settings: { [name: string]: JsonValue }): {
  flags: Omit<ProbeFlags, 'seed'>;
  search: Omit<Search, 'unit'>;
  rivals: RivalFlags;
} {
  const { corpus, ...probe } = recordedProbe(settings);
  const { model, method, length, quietOn, gamma, lambda, texts, prior, policy } = settings;
  const budget = (
    'evaluations' in settings ? { evaluations: settings.evaluations } : { seconds: settings.seconds }
  ) as Budget;
  return {
    flags: { model: model as string, ...probe, ...(corpus !== null && { calibrateOn: corpus }) },
    search: {
      ...{ method, length, budget, quietOn },
      ...(gamma !== undefined && { gamma }),
      ...(lambda !== undefined && { lambda }),
    } as never,
    rivals: {
      ...(Array.isArray(texts) && texts.length > 0 && { corpus: texts as string[] }),
      ...(typeof prior === 'string' && { prior }),
      ...(typeof policy === 'string' && { policy }),
    },
  };
}

/** Searches, events into the folder. */
export async function searchInto(
  folder: RunFolder,
  options: SearchOptions,
  watch: Omit<WatchOptions, 'path'>,
): Promise<TextDocument> {
  const { recordRun } = await import('../../runs/run-folder.js');
  const { searchText } = await import('../../text/search/search.js');
  const begin = (signal: AbortSignal) => recordRun(folder, searchText({ ...options, signal }));
  const result = await watchRun(begin, { ...watch, path: folder.path });
  folder.writeFrontier(result.frontier);
  return { run: folder.path, ...result };
}
