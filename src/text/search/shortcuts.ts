/** @file Shortcuts that save work in breeding and in EPO, each on or off: how they are put together, and where they pay. */
import { type Engine, sideBySide, type Traits } from '../../engine/compile.js';
import { hasDotProducts } from '../../engine/dot-products.js';
import { distinct, type Halves, pairOf } from '../lm/in-halves.js';
import { tailOf } from '../lm/spec.js';
import type { Subject } from '../lm/subject.js';
import type { Probe } from '../readouts/probe.js';
import type { SamplerOptions } from '../sampling/sampler.js';
import { parentsOfHalf } from './breeding.js';
import { ExactChildren } from './exact-children.js';
import type { Judge } from './judge.js';
import { JudgeRoughly } from './judge-roughly.js';
import { RankFirst } from './rank-first.js';
import { ScorerPair } from './scorer-pair.js';
import { KeepAll, type Scorer, type Screening, WholeScorer } from './scoring.js';
import { SharedPrefixes, type SharedPrefixesOptions } from './shared-prefixes.js';
import { endsEarly, UnitFirst } from './unit-first.js';

export interface Shortcuts {
  /** What a child has in common with its parent is computed once. */
  readonly sharedPrefixes: boolean;
  /** Children are ranked in 8 bits; what may matter is computed in float32. */
  readonly roughRanking: boolean;
  /** With shared prefixes and no ranking in 8 bits: children are read as far as the unit; what may matter, to the end. */
  readonly unitFirst: boolean;
  /** Drafts are written, triggers found, and gradients computed, in 8 bits. */
  readonly roughProposals: boolean;
  /** What is computed in 8 bits with shared prefixes is computed in two halves, side by side. */
  readonly sideBySide: boolean;
  /**
   * Turns of `auto` and `evolve` are larger, with more samples, and more children of the same parents: what is done once for all
   * of them costs less of each.
   */
  readonly largeGenerations: boolean;
}

export const noShortcuts: Shortcuts = {
  sharedPrefixes: false,
  roughRanking: false,
  unitFirst: false,
  roughProposals: false,
  sideBySide: false,
  largeGenerations: false,
};
export const allShortcuts: Shortcuts = {
  sharedPrefixes: true,
  roughRanking: true,
  unitFirst: true,
  roughProposals: true,
  sideBySide: true,
  largeGenerations: true,
};

/** From this width on products are large enough for 8 bits and for cutting calls to pay. */
const WIDE = 512;

/**
 * The shortcuts that save time on a model (bench/search/shortcuts.ts). None where weights stay in half precision to save
 * memory: 8 bits would be a second copy of them.
 *
 * @param traits - of the engine, as its device has them here
 * @param dotProducts - whether the processor has instructions for 8 bits: without them ranking costs more than it saves, and
 *   products gain as much from two cores as halves would
 */
export function shortcutsFor(
  { spec, weights }: Pick<Subject, 'spec' | 'weights'>,
  { rough }: Pick<Traits, 'rough'>,
  dotProducts = hasDotProducts(),
): Shortcuts {
  if (rough === null || spec.dModel < WIDE || weights.halves?.stay) return noShortcuts;
  // Ranks are float32 on a GPU, and how much it computes twice hardly matters.
  if (rough === 'float16') return { ...noShortcuts, roughProposals: true };
  return dotProducts
    ? allShortcuts
    : { ...allShortcuts, roughRanking: false, sideBySide: false, largeGenerations: false };
}

export interface ScreeningOptions {
  readonly probe: Probe;
  readonly positions: number;
  /** Parents of a generation. */
  readonly parents: number;
  /** Children scored in one call. */
  readonly batch: number;
  /** See `enginesOfHalves`. */
  readonly engines: Halves<Engine> | null;
}

/** Few children are left to score exactly after ranking: calls of just their number waste no row. */
const AFTER_RANKING = [8, 7, 6, 5, 4, 3, 2, 1];
/** Tokens of children in one call: enough for full speed of 8-bit products, few enough that a last call wastes little. */
const TOKENS = 256;
/** Of those that are left after ranking, at most. */
const TOKENS_AFTER_RANKING = 160;

/** What stands behind a text is read anew for every change in it: then beginnings are not shared. */
export const sharesPrefixes = ({ sharedPrefixes }: Shortcuts, { spec }: Pick<Subject, 'spec'>): boolean =>
  sharedPrefixes && tailOf(spec).length === 0;

/** What computes the halves of what is computed in 8 bits; null where that is not divided. */
export const enginesOfHalves = (shortcuts: Shortcuts, subject: Subject): Halves<Engine> | null =>
  shortcuts.sideBySide && shortcuts.roughProposals && sharesPrefixes(shortcuts, subject)
    ? sideBySide(subject.engine)
    : null;

/**
 * What the sampler finds out about its drafts beside writing them. Where children are ranked in 8 bits, all that is ranked
 * by; a mean over positions of several rivals is not made from the strongest at each.
 */
export const toldByDrafts = (
  { roughRanking }: Shortcuts,
  probe: Probe,
): Pick<SamplerOptions, 'logProbs' | 'probe'> => {
  const { at, subject } = probe.options;
  if (!roughRanking) return { logProbs: true };
  return at === 'mean' || tailOf(subject.spec).length > 0 ? {} : { probe };
};

/** A way to score, and what it takes. */
interface OpenedWay<T> {
  readonly way: T;
  dispose(): Promise<void>;
}

/** Null where no shortcut is on. */
export function openScreen(shortcuts: Shortcuts, options: ScreeningOptions): OpenedWay<Screening> | null {
  const { roughRanking, unitFirst } = shortcuts;
  const { probe, positions, parents } = options;
  const shares = sharesPrefixes(shortcuts, probe.options.subject);
  const reading = { positions, parents, tokens: TOKENS };
  if (roughRanking) return ranked(roughJudge(options, shares ? reading : null));
  if (!shares) return null;
  if (unitFirst && endsEarly(probe)) {
    const judge = new UnitFirst({ ...reading, probe });
    return ranked({ way: judge, dispose: () => judge.dispose() });
  }
  const shared = new SharedPrefixes({ ...reading, probe });
  return { way: new KeepAll(shared), dispose: () => shared.dispose() };
}

const ranked = ({ way, dispose }: OpenedWay<Judge>): OpenedWay<Screening> => ({
  way: new RankFirst(way),
  dispose,
});

/** @param reading - of shared prefixes; null where children are read whole */
function roughJudge(
  { probe, positions, batch, engines }: ScreeningOptions,
  reading: Omit<SharedPrefixesOptions, 'probe'> | null,
): OpenedWay<Judge> {
  const rough = probe.inPrecision('rough');
  const shared = reading && openShared({ ...reading, probe: rough }, engines);
  const exact = reading && new ExactChildren({ ...reading, tokens: TOKENS_AFTER_RANKING, probe });
  return {
    way: new JudgeRoughly(
      shared?.way ?? new WholeScorer(rough, positions, [batch]),
      exact ?? new WholeScorer(probe, positions, AFTER_RANKING),
      probe.options.at,
    ),
    dispose: async () => {
      await Promise.all([shared?.dispose(), exact?.dispose(), rough.dispose()]);
    },
  };
}

function openShared(options: SharedPrefixesOptions, engines: Halves<Engine> | null): OpenedWay<Scorer> {
  if (!engines) {
    const way = new SharedPrefixes(options);
    return { way, dispose: () => way.dispose() };
  }
  const parents = parentsOfHalf(options.parents);
  const pair = pairOf(
    engines,
    (engine) => new SharedPrefixes({ ...options, parents, probe: options.probe.on(engine) }),
  );
  return {
    way: new ScorerPair(pair),
    dispose: async () => {
      await Promise.all(distinct(pair).map((one) => one.dispose()));
    },
  };
}
