/** @file `superstim text` as a library function: a search as a generator of events. */

import { UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { FrameReport } from '../../core/frame-report.js';
import { dominates, hypervolume } from '../../core/frontier.js';
import type { PublishedUnit } from '../../core/published-unit.js';
import { Random } from '../../core/random.js';
import type { ScoredText } from '../../core/scored-text.js';
import { type EventBody, eventClock, finishedEvent, type Run, stamped } from '../../runs/events.js';
import { frameOf } from '../lm/frame.js';
import { openSubject } from '../lm/subject.js';
import { type SearchMethodName, textDefaults } from '../names.js';
import { clusterTexts, type TextCluster } from '../readouts/clusters.js';
import { publishedOf } from '../readouts/published.js';
import { calibrate, effectGroups, groupsOf } from '../readouts/session.js';
import type { Arena, Figures, SearchMethod } from './arena.js';
import { auto } from './auto.js';
import { type BaselineBest, baselineNotes, baselinesOf, bestOf } from './baselines.js';
import { checkSearch } from './check-search.js';
import { randomOf } from './checkpoint.js';
import { corpus } from './corpus.js';
import { type Budget, type Driven, drive, type Earlier, isRepeatable } from './drive.js';
import { epo } from './epo.js';
import { evolve } from './evolve.js';
import { chooseFinalists, explainFinalists } from './finalists.js';
import { gcg } from './gcg.js';
import { priorBest } from './prior-best.js';
import { sample } from './sample.js';
import type { SearchOptions } from './search-options.js';
import { soft } from './soft.js';
import { openTools, type SearchTools } from './tools.js';

export const searchMethods = {
  auto,
  evolve,
  epo,
  gcg,
  soft,
  sample,
  corpus,
  prior: priorBest,
} as const satisfies Record<SearchMethodName, SearchMethod>;
export type { BaselineBest, Budget, Earlier, SearchMethodName, SearchOptions };

export interface SearchResult {
  unit: string;
  method: SearchMethodName;
  frame: FrameReport;
  cost: { seconds: number; evaluations: number; token_layers: number };
  hypervolume: number;
  frontier: ScoredText[];
  baselines: { prior_best: BaselineBest | null; corpus_best: BaselineBest | null };
  /** Figures that the method reports of itself: log Z and effective sample sizes of `sample`, the soft-to-hard gap of `soft`. */
  measured: Figures | null;
  /** The texts that were explained, grouped by what excites the unit in them. */
  clusters: TextCluster[];
  /** What Neuronpedia publishes of the unit; where that was asked for. */
  published?: PublishedUnit;
}

/**
 * Searches text for a unit.
 *
 * @throws UsageError for a unit, reference class, length or budget that makes no sense, before anything is computed;
 *   UserError when no text at all could be scored
 */
export async function* searchText(options: SearchOptions): Run<SearchResult> {
  const { model, engine, method, signal, earlier } = options;
  const event = eventClock(earlier?.clock);
  const plan = checkSearch(options);
  yield event({ kind: 'started', task: 'text', unit: plan.objective.name, method });

  const groups = [...groupsOf(plan), ...effectGroups(plan)];
  const calibration = yield* calibrate({ ...options, groups }, event);
  const subject = openSubject(model, engine);
  const tools = await openTools(options, subject, plan, calibration);
  yield* calibration.takeWarnings().map(event);
  yield* stamped(calibration.report(plan.objective), event);

  try {
    const search = yield* stamped(run(tools, options), event);
    if (search.arena.frontier.size === 0 && !signal?.aborted) throw nothingFound(search, options);
    const baselines = yield* stamped(runBaselines(tools, options, search), event);
    const frontier = reported(search.arena);
    const finalists = [
      ...chooseFinalists(frontier, options.finalists ?? textDefaults.finalists),
      ...(options.finalists === 0 ? [] : Object.values(baselines).filter((best) => best !== null)),
    ];
    // Graphs that explain a large model's texts take the memory of those that searched.
    await tools.dispose();
    const explanations = yield* stamped(explainFinalists(subject, tools.whole, finalists, signal), event);
    const published = await publishedOf(subject, plan.objective, options.published);
    const result: SearchResult = {
      unit: plan.objective.name,
      method,
      frame: frameOf(model),
      cost: {
        seconds: search.seconds,
        evaluations: search.arena.ledger.evaluations,
        token_layers: search.arena.ledger.tokenLayers,
      },
      hypervolume: hypervolume(frontier),
      frontier,
      baselines,
      measured: search.measured,
      clusters: clusterTexts(explanations),
      ...(published && { published }),
    };
    yield event(finishedEvent(result, signal));
    return result;
  } finally {
    await tools.dispose();
  }
}

/** Why a search that came to its end has no text. */
function nothingFound({ arena }: Driven, { method, length, model }: SearchOptions): UserError {
  if (method === 'corpus')
    return new UserError(
      `there is no text of ${length} tokens in the corpus that its tokenizer gives back unchanged; give more text, or another ${field('length')}`,
    );
  if (arena.ledger.lost > 0)
    return new UserError(
      `no text was found: of ${arena.ledger.lost} that were tried, the tokenizer of ${model.name} gives none back unchanged when it is decoded and encoded; check the decoder in its tokenizer.json`,
    );
  return new UserError(
    `no text was found within the budget; give more ${field('seconds')} or ${field('evaluations')}`,
  );
}

/** The search itself. */
function run(
  tools: SearchTools,
  { seed, signal, method, budget, earlier, saving }: SearchOptions,
): AsyncGenerator<EventBody, Driven, void> {
  // A search that cannot be repeated must not draw again what it drew; one that had drawn nothing begins as any other.
  const random =
    earlier?.checkpoint && isRepeatable(budget, earlier)
      ? randomOf(earlier.checkpoint)
      : Random.of(seed, `search${earlier?.evaluations || ''}`);
  const arena = { ...tools.arenaFor(method), random };
  return drive(searchMethods[method], {
    arena,
    budget,
    signal,
    source: 'search',
    note: method,
    ...(earlier && { earlier }),
    ...(saving && { saving }),
  });
}

/** The simple methods that the search is compared with, each at its cost. */
async function* runBaselines(
  tools: SearchTools,
  options: SearchOptions,
  search: Driven,
): AsyncGenerator<EventBody, SearchResult['baselines'], void> {
  const { seed, signal } = options;
  const budget: Budget =
    'seconds' in options.budget
      ? { seconds: search.seconds }
      : { evaluations: search.arena.ledger.evaluations };
  const best: SearchResult['baselines'] = { prior_best: null, corpus_best: null };
  for (const method of baselinesOf(options)) {
    if (signal?.aborted) break;
    const source = `${method}_best` as const;
    const arena = { ...tools.arenaFor(method), random: Random.of(seed, 'baseline') };
    const note = baselineNotes[source];
    best[source] = bestOf(yield* drive(searchMethods[method], { arena, budget, signal, source, note }));
    yield { kind: 'baseline', name: source, candidate: best[source] };
  }
  return best;
}

/**
 * The frontier as it is reported. Margins against rivals held out may put one candidate behind another that the search
 * could not distinguish.
 */
function reported(arena: Arena): ScoredText[] {
  const all = arena.frontier.members.map(({ report }) => report);
  return all.filter((one) => !all.some((other) => other !== one && dominates(other, one)));
}
