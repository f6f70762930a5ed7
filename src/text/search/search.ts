/** @file `superstim text` as a library function: a search as a generator of events. */

import { dominates, HYPERVOLUME_CORNER, hypervolume } from '../../core/frontier.js';
import { Random } from '../../core/random.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { eventClock, type Run, type ScoredText, stamped } from '../../runs/events.js';
import type { CorpusFile } from '../corpus/corpus-text.js';
import type { FluencyModel } from '../fluency/fluency-model.js';
import { batchFor, callBatch } from '../lm/batch-size.js';
import type { SearchMethodName } from '../names.js';
import { clusterTexts, type TextCluster } from '../readouts/clusters.js';
import { Probe } from '../readouts/probe.js';
import { splitReference } from '../readouts/reference.js';
import { calibrate, type SessionOptions, startToken } from '../readouts/session.js';
import { Sampler } from '../sampling/sampler.js';
import { encodeText } from '../score.js';
import type { Arena, SearchMethod } from './arena.js';
import { auto } from './auto.js';
import { parentsOf } from './breeding.js';
import { checkSearch } from './check-search.js';
import { corpus } from './corpus.js';
import { type Budget, type Driven, drive, type Earlier, type Source } from './drive.js';
import { EPO_TOP_TOKENS, epo } from './epo.js';
import { evolve } from './evolve.js';
import { chooseFinalists, explainFinalists } from './finalists.js';
import { GCG_TOP_TOKENS, gcg } from './gcg.js';
import { priorBest } from './prior-best.js';
import { Proposer } from './proposals.js';
import { sample } from './sample.js';
import { noShortcuts, openScreen, type Shortcuts, shortcutsFor } from './shortcuts.js';
import { soft } from './soft.js';

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
export type { Budget, Earlier, SearchMethodName };

const breeds = (name: SearchMethodName) => name === 'auto' || name === 'evolve';
/** Texts of the frontier that are explained. */
const FINALISTS = 8;
/** Tokens a position that the gradient's methods as published choose from. */
const TOP_TOKENS: Partial<Record<SearchMethodName, number>> = { epo: EPO_TOP_TOKENS, gcg: GCG_TOP_TOKENS };

export interface SearchOptions extends SessionOptions {
  readonly unit: string;
  readonly method: SearchMethodName;
  /** Tokens after BOS. */
  readonly length: number;
  readonly budget: Budget;
  /** Texts that the unit should be quieter on than on what is found. */
  readonly quietOn?: readonly string[];
  /** How much the softmax-weighted rivals count in what methods maximize (J); 0 unless told otherwise. */
  readonly gamma?: number;
  /** The one weight of the cross entropy (J) for `soft` and `sample`, which else spread over many. */
  readonly lambda?: number;
  /** The user's own text: what the method `corpus` reads, and else a rival at equal cost. */
  readonly naturalText?: readonly CorpusFile[];
  /** The model whose probability counts as fluency; the subject unless told otherwise. */
  readonly fluency?: FluencyModel;
  /** Weights tuned for the unit: `sample` draws from them, weighted so that what it samples stays the same. */
  readonly policy?: WeightSource;
  /** What saves work in breeding and in EPO; what pays for the model unless told otherwise. */
  readonly shortcuts?: Shortcuts;
  /** Samples of the prior at equal cost beside the search; yes unless told otherwise. */
  readonly baseline?: boolean;
  /** Texts of the frontier that are explained; 8 unless told otherwise. */
  readonly finalists?: number;
  /** What an earlier part of the same search found and spent. */
  readonly earlier?: Earlier;
}

export interface SearchResult {
  unit: string;
  method: SearchMethodName;
  cost: { seconds: number; evaluations: number; token_layers: number };
  hypervolume: number;
  frontier: ScoredText[];
  baselines: { prior_best: BaselineBest | null; corpus_best: BaselineBest | null };
  /** What the method tells of itself: log Z and effective sample sizes of `sample`, the soft-to-hard gap of `soft`. */
  measured: Readonly<Record<string, number>> | null;
  /** The texts that were explained, grouped by what excites the unit in them. */
  clusters: TextCluster[];
}

/** The strongest text under 6 nats of a simple rival, at the cost of the search or, of a corpus, as far as it goes. */
export interface BaselineBest extends ScoredText {
  /** Of all the rival's frontier. */
  hypervolume: number;
  evaluations: number;
}

/**
 * Searches text for a unit.
 *
 * @throws UsageError for a unit, reference class, length or budget that makes no sense, before anything is computed
 */
export async function* searchText(options: SearchOptions): Run<SearchResult> {
  const { model, method, signal, seed, earlier } = options;
  const event = eventClock(earlier?.clock);
  const positions = options.length + 1;
  const { unit, reference } = checkSearch(options);
  yield event({ kind: 'started', task: 'text', unit: unit.name, method });

  const calibration = yield* stamped(calibrate(options), event);
  const { spec, weights, tokenizer } = model;
  const { engine, at } = options;
  const { seen, heldOut } = splitReference(reference, seed);
  const probe = await Probe.create({
    ...{ spec, weights, unit, calibration, at, engine },
    reference: seen,
    ...(heldOut && { heldOut }),
  });
  // Explanations look at all rivals.
  const whole = heldOut
    ? await Probe.create({ spec, weights, unit, reference, calibration, at, engine })
    : probe;
  const { mean, deviation } = probe.moments;
  const from = await calibration.sourceOf(unit.group);
  yield event({ kind: 'calibrated', unit: unit.name, mean, standard_deviation: deviation, ...from });

  const turn = batchFor(spec.dModel, positions);
  const batch = callBatch(turn);
  const parents = parentsOf(turn);
  const drawing = { spec, weights, positions, engine, batch, parents, banned: tokenizer.specialTokens() };
  const prior = await Sampler.create(drawing);
  // Another prior's cross entropy is no figure of these graphs.
  const devices = options.fluency ? noShortcuts : (options.shortcuts ?? shortcutsFor(spec, engine));
  const screening = openScreen(devices, { probe, positions, turn, batch });
  // GCG stays as published.
  const precision = devices.roughProposals && method !== 'gcg' ? 'int8' : 'float32';
  const isRough = precision === 'int8' && breeds(method);
  const drafts = isRough ? await Sampler.create({ ...drawing, precision }) : prior;
  const proposer = new Proposer({
    ...{ spec, weights, probe, positions, engine, precision },
    banned: tokenizer.excludedTokens(),
    // Most of a generation's parents are known already.
    batch: Math.max(1, parents / 4),
    asked: method === 'gcg' ? 1 : 8,
    count: TOP_TOKENS[method] ?? 256,
  });
  const given = {
    ...(options.naturalText && { corpus: options.naturalText }),
    ...(options.fluency && { fluency: options.fluency }),
    ...(options.policy && { policy: options.policy }),
    ...(options.gamma !== undefined && { gamma: options.gamma }),
    ...(options.lambda !== undefined && { lambda: options.lambda }),
  };
  const shared = {
    model,
    start: startToken(model),
    probe,
    prior,
    proposer,
    positions,
    turn,
    batch,
    ...given,
  };
  const quiet = await loudest(
    probe,
    (options.quietOn ?? []).map((text) => encodeText(model, text)),
  );
  const run = (name: SearchMethodName, source: Source, budget: Budget, before?: Earlier) =>
    stamped(
      drive(searchMethods[name], {
        // A search that goes on must not draw again what it drew.
        arena: {
          ...shared,
          ...(breeds(name) && { prior: drafts }),
          ...(screening && { screen: screening.screen }),
          quiet,
          random: Random.of(
            seed,
            `${source === 'search' ? 'search' : 'baseline'}${before?.evaluations ?? ''}`,
          ),
        },
        budget,
        signal,
        source,
        note: source === 'search' ? name : baselineNotes[source],
        ...(before && { earlier: before }),
      }),
      event,
    );

  try {
    const search = yield* run(method, 'search', options.budget, earlier);
    const rivals: Record<'prior' | 'corpus', BaselineBest | null> = { prior: null, corpus: null };
    for (const name of baselinesOf(options)) {
      if (signal?.aborted) break;
      const equal: Budget =
        'seconds' in options.budget ? { seconds: search.seconds } : { evaluations: search.cost.evaluations };
      rivals[name] = bestOf(yield* run(name, `${name}_best`, equal));
      yield event({ kind: 'baseline', name: `${name}_best`, candidate: rivals[name] });
    }
    const frontier = reported(search.arena);
    const finalists = [
      ...chooseFinalists(frontier, options.finalists ?? FINALISTS),
      ...(options.finalists === 0 ? [] : Object.values(rivals).filter((rival) => rival !== null)),
    ];
    const explanations = yield* stamped(
      explainFinalists(model, whole, shared.start, finalists, signal),
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
      baselines: { prior_best: rivals.prior, corpus_best: rivals.corpus },
      measured: search.measured,
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
    if (drafts !== prior) drafts.dispose();
    await Promise.all([screening?.dispose(), probe.dispose(), whole.dispose(), proposer.dispose()]);
  }
}

const baselineNotes = {
  prior_best: 'samples of the prior at equal cost',
  corpus_best: 'the corpus at equal cost',
} as const;

/** The simple rivals that a search is compared with. */
function baselinesOf({ method, baseline, naturalText }: SearchOptions): ('prior' | 'corpus')[] {
  if (baseline === false) return [];
  return (['prior', 'corpus'] as const).filter(
    (name) => name !== method && (name !== 'corpus' || naturalText !== undefined),
  );
}

/**
 * The frontier as it is told. Margins against rivals held out may put one candidate behind another that the search
 * could not tell apart.
 */
function reported(arena: Arena): ScoredText[] {
  const all = arena.frontier.members.map(({ report }) => report);
  return all.filter((one) => !all.some((other) => other !== one && dominates(other, one)));
}

/** The largest z of the unit over some texts; null for none. */
async function loudest(probe: Probe, texts: readonly Int32Array[]): Promise<number | null> {
  let top: number | null = null;
  for (const ids of texts) {
    const [z] = (await probe.score(ids, ids.length, 1)).z;
    top = Math.max(top ?? z!, z!);
  }
  return top;
}

function bestOf({ arena, cost }: Driven): BaselineBest | null {
  const members = arena.frontier.members;
  const fluent = members.filter((member) => member.cross_entropy < HYPERVOLUME_CORNER.crossEntropy);
  const pool = fluent.length > 0 ? fluent : members;
  if (pool.length === 0) return null;
  const best = pool.reduce((a, b) => (b.z > a.z ? b : a));
  return { ...best.report, hypervolume: hypervolume(members), evaluations: cost.evaluations };
}
