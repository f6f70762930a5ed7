/** @file `superstim text` as a library function: a search as a generator of events. */
import { Random } from '../../engine/random.js';
import { UsageError } from '../../errors.js';
import { type EventBody, eventClock, type Run, type ScoredText } from '../../runs/events.js';
import { batchFor } from '../batch-size.js';
import { clusterTexts, type TextCluster } from '../clusters.js';
import { Prior } from '../prior.js';
import { Probe } from '../probe.js';
import { calibrate, resolveUnits, type SessionOptions, startToken } from '../session.js';
import { Arena, type ArenaOptions, type Candidate, type Cost, type SearchMethod } from './arena.js';
import { EPO_TOP_TOKENS, epo } from './epo.js';
import { evolve, rewriteBatch } from './evolve.js';
import { chooseFinalists, explainFinalists } from './finalists.js';
import { HYPERVOLUME_CORNER, hypervolume } from './frontier.js';
import { priorBest } from './prior-best.js';
import { Proposer } from './proposals.js';

export const searchMethods = { evolve, epo, prior: priorBest } as const satisfies Record<
  string,
  SearchMethod
>;
export type SearchMethodName = keyof typeof searchMethods;

/** Texts of the frontier that are explained. */
const FINALISTS = 8;

/** When a search ends; whichever is given. */
export type Budget = { readonly seconds: number } | { readonly evaluations: number };

export interface SearchOptions extends SessionOptions {
  readonly unit: string;
  readonly method: SearchMethodName;
  /** Tokens after BOS. */
  readonly length: number;
  readonly budget: Budget;
}

export interface SearchResult {
  unit: string;
  method: SearchMethodName;
  cost: { seconds: number; evaluations: number; token_layers: number };
  hypervolume: number;
  frontier: ScoredText[];
  baselines: { prior_best: PriorBest | null; corpus_best: ScoredText | null };
  /** The texts that were explained, grouped by what excites the unit in them. */
  clusters: TextCluster[];
}

/** The strongest text under 6 nats among samples of the prior, at the cost of the search. */
export interface PriorBest extends ScoredText {
  /** Of all the samples' frontier. */
  hypervolume: number;
  evaluations: number;
}

/**
 * Searches text for a unit.
 *
 * @throws UsageError for a unit, reference class, length or budget that makes no sense, before anything is computed
 */
export async function* searchText(options: SearchOptions): Run<SearchResult> {
  const { model, method, signal, seed } = options;
  const event = eventClock();
  const positions = options.length + 1;
  const { unit, reference } = checkSearch(options);
  yield event({ kind: 'started', task: 'text', unit: unit.name, method });

  const calibration = yield* stamped(calibrate(options), event);
  const { spec, weights, tokenizer } = model;
  const { engine, at } = options;
  const probe = await Probe.create({ spec, weights, unit, reference, calibration, at, engine });
  const { mean, deviation } = probe.moments;
  const from = await calibration.sourceOf(unit.group);
  yield event({ kind: 'calibrated', unit: unit.name, mean, standard_deviation: deviation, ...from });

  const batch = batchFor(spec.dModel, positions);
  const priorOptions = { spec, weights, banned: tokenizer.specialTokens(), positions, engine };
  const prior = await Prior.create({ ...priorOptions, batch });
  const rewriter = await Prior.create({ ...priorOptions, batch: rewriteBatch(batch) });
  const proposer = new Proposer({
    spec,
    weights,
    probe,
    banned: tokenizer.excludedTokens(),
    positions,
    batch: 8,
    count: method === 'epo' ? EPO_TOP_TOKENS : 256,
    engine,
  });
  const shared = { model, start: startToken(model), probe, prior, rewriter, proposer, positions, batch };
  const run = (name: SearchMethodName, random: string, budget: Budget, note: string) =>
    stamped(
      drive(searchMethods[name], { ...shared, random: Random.of(seed, random) }, budget, signal, note),
      event,
    );

  try {
    const search = yield* run(method, 'search', options.budget, method);
    let rival: PriorBest | null = null;
    if (method !== 'prior' && !signal?.aborted) {
      const equal: Budget =
        'seconds' in options.budget ? { seconds: search.seconds } : { evaluations: search.cost.evaluations };
      rival = bestOf(yield* run('prior', 'baseline', equal, 'samples of the prior at equal cost'));
      yield event({ kind: 'baseline', name: 'prior_best', candidate: rival });
    }
    const frontier = search.arena.frontier.members.map(plain);
    const finalists = [...chooseFinalists(frontier, FINALISTS), ...(rival ? [rival] : [])];
    const explanations = yield* stamped(
      explainFinalists(model, probe, shared.start, finalists, signal),
      event,
    );
    const result: SearchResult = {
      unit: unit.name,
      method,
      cost: {
        seconds: search.seconds,
        evaluations: search.cost.evaluations,
        token_layers: search.cost.tokenLayers,
      },
      hypervolume: hypervolume(frontier),
      frontier,
      baselines: { prior_best: rival, corpus_best: null },
      clusters: clusterTexts(explanations),
    };
    yield event({
      kind: 'finished',
      reason: signal?.aborted ? 'interrupted' : 'done',
      result: JSON.parse(JSON.stringify(result)),
    });
    return result;
  } finally {
    prior.dispose();
    rewriter.dispose();
    await Promise.all([probe.dispose(), proposer.dispose()]);
  }
}

/**
 * Finds out what is wrong with a request before anything is computed or written.
 *
 * @throws UsageError for a unit, reference class, length or budget that makes no sense
 */
export function checkSearch(options: SearchOptions): ReturnType<typeof resolveUnits> {
  const { length, budget, model } = options;
  if (length < 1)
    throw new UsageError(`a text of ${length} tokens cannot be searched: --length must be at least 1`);
  if (length + 1 > model.spec.context) {
    throw new UsageError(
      `--length ${length} does not fit the model's context of ${model.spec.context} tokens, one of which is BOS`,
    );
  }
  const amount = 'seconds' in budget ? budget.seconds : budget.evaluations;
  if (!(amount > 0))
    throw new UsageError(
      `a budget of ${amount} leaves nothing to search with: give --seconds or --evaluations above 0`,
    );
  return resolveUnits(options.unit, options);
}

interface Driven {
  readonly arena: Arena;
  readonly cost: Cost;
  readonly seconds: number;
}

/** Runs a method until the budget is spent or the signal given, telling what it found and how far it is. */
async function* drive(
  method: SearchMethod,
  options: ArenaOptions,
  budget: Budget,
  signal: AbortSignal | undefined,
  note: string,
): AsyncGenerator<EventBody, Driven, void> {
  const arena = new Arena(options);
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const turns = method(arena);
  const [name, total] =
    'seconds' in budget
      ? (['seconds', budget.seconds] as const)
      : (['evaluations', budget.evaluations] as const);
  while (arena.spent < 1 && !signal?.aborted) {
    await turns.next();
    const elapsed = seconds();
    const done = name === 'seconds' ? elapsed : arena.cost.evaluations;
    arena.spent = done / total;
    for (const { candidate, operator } of arena.takeEntered()) {
      yield { kind: 'candidate', candidate: plain(candidate), operator };
    }
    yield {
      kind: 'progress',
      budget: name,
      done: Math.min(done, total),
      total,
      rate: arena.cost.evaluations / elapsed,
      rate_unit: 'evaluations',
      seconds_left: arena.spent > 0 ? Math.max(0, (elapsed * (1 - arena.spent)) / arena.spent) : null,
      note,
    };
  }
  await turns.return();
  return { arena, cost: arena.cost, seconds: seconds() };
}

async function* stamped<T>(
  bodies: AsyncGenerator<EventBody, T, void>,
  event: ReturnType<typeof eventClock>,
): Run<T> {
  for (;;) {
    const next = await bodies.next();
    if (next.done) return next.value;
    yield event(next.value);
  }
}

/** A candidate as events and results hold it. */
function plain({ ids: _, ...scored }: Candidate): ScoredText {
  return scored;
}

function bestOf({ arena, cost }: Driven): PriorBest | null {
  const members = arena.frontier.members;
  const fluent = members.filter((member) => member.cross_entropy < HYPERVOLUME_CORNER.crossEntropy);
  const pool = fluent.length > 0 ? fluent : members;
  if (pool.length === 0) return null;
  const best = pool.reduce((a, b) => (b.z > a.z ? b : a));
  return { ...plain(best), hypervolume: hypervolume(members), evaluations: cost.evaluations };
}
