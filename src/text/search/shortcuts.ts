/** @file Shortcuts that save work in breeding and in EPO, each on or off: how they are put together, and where they pay. */
import { traitsOf } from '../../engine/compile.js';
import { hasDotProducts } from '../../engine/dot-products.js';
import { tailOf } from '../lm/spec.js';
import type { Subject } from '../lm/subject.js';
import type { Probe } from '../readouts/probe.js';
import { parentsOf } from './breeding.js';
import { RankFirst } from './rank-first.js';
import { KeepAll, type Scorer, type Screening, WholeScorer } from './scoring.js';
import { SharedPrefixes } from './shared-prefixes.js';

export interface Shortcuts {
  /** What a child has in common with its parent is computed once. */
  readonly sharedPrefixes: boolean;
  /** Children are ranked in 8 bits; what may matter is computed in float32. */
  readonly roughRanking: boolean;
  /** Drafts are written, triggers found, and gradients computed, in 8 bits. */
  readonly roughProposals: boolean;
}

export const noShortcuts: Shortcuts = { sharedPrefixes: false, roughRanking: false, roughProposals: false };
export const allShortcuts: Shortcuts = { sharedPrefixes: true, roughRanking: true, roughProposals: true };

/** From this width on products are large enough for 8 bits and for cutting calls to pay. */
const WIDE = 512;

/**
 * The shortcuts that save time on a model (bench/search/shortcuts.ts). None where weights stay in half precision to save
 * memory: 8 bits would be a second copy of them.
 *
 * @param dotProducts - whether the processor has instructions for 8 bits: without them ranking costs more than it saves
 */
export function shortcutsFor(
  { spec, engine, weights }: Pick<Subject, 'spec' | 'engine' | 'weights'>,
  dotProducts = hasDotProducts(),
): Shortcuts {
  const pays = traitsOf(engine).fastInt8 && spec.dModel >= WIDE && !weights.halves?.stay;
  return pays ? { ...allShortcuts, roughRanking: dotProducts } : noShortcuts;
}

export interface ScreeningOptions {
  readonly probe: Probe;
  readonly positions: number;
  /** Children of a generation. */
  readonly turn: number;
  /** Children scored in one call. */
  readonly batch: number;
}

/** Few children are left to score exactly after ranking: calls of just their number have no row in vain. */
const AFTER_RANKING = [8, 7, 6, 5, 4, 3, 2, 1];
/** Children in one call: enough for full speed of 8-bit products, few enough that a last call wastes little. */
const TOKENS = 256;

/** Null where no shortcut is on. */
export function openScreen(
  { sharedPrefixes: mayShare, roughRanking }: Shortcuts,
  { probe, positions, turn, batch }: ScreeningOptions,
): { screen: Screening; dispose(): Promise<void> } | null {
  // What stands behind a text is read anew for every change in it.
  const sharedPrefixes = mayShare && tailOf(probe.options.subject.spec).length === 0;
  const parents = parentsOf(turn);
  const rough = probe.inPrecision('int8');
  const shared = new SharedPrefixes({
    probe: roughRanking ? rough : probe,
    positions,
    parents,
    tokens: TOKENS,
  });
  const dispose = async () => {
    await Promise.all([shared.dispose(), rough.dispose()]);
  };
  if (roughRanking) {
    const ranking: Scorer = sharedPrefixes ? shared : new WholeScorer(rough, positions, [batch]);
    return {
      screen: new RankFirst(ranking, new WholeScorer(probe, positions, AFTER_RANKING), probe.options.at),
      dispose,
    };
  }
  return sharedPrefixes ? { screen: new KeepAll(shared), dispose } : null;
}
