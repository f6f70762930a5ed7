/** @file What a search and its baselines compute with: opened once, freed together. */
import { once } from '../../core/once.js';
import { type Precision, traitsHere } from '../../engine/compile.js';
import { batchFor, callBatch } from '../lm/batch-size.js';
import type { TextSubject } from '../lm/subject.js';
import type { SearchMethodName } from '../names.js';
import type { Calibration } from '../readouts/calibration.js';
import { Probe } from '../readouts/probe.js';
import { splitReference } from '../readouts/reference.js';
import type { Resolved } from '../readouts/session.js';
import { KeptSamplers } from '../sampling/kept-samplers.js';
import { Sampler } from '../sampling/sampler.js';
import { SamplerPair } from '../sampling/sampler-pair.js';
import { slotsFor } from '../sampling/slots.js';
import type { ArenaOptions } from './arena.js';
import { parentsOf, parentsOfHalf } from './breeding.js';
import { EPO_TOP_TOKENS } from './epo.js';
import { GCG_TOP_TOKENS } from './gcg.js';
import { Proposer } from './proposals.js';
import { loudest } from './quiet.js';
import type { SearchOptions } from './search-options.js';
import {
  enginesOfHalves,
  noShortcuts,
  openScreen,
  type Shortcuts,
  sharesPrefixes,
  shortcutsFor,
  toldByDrafts,
} from './shortcuts.js';

/** Tokens a position that the gradient's methods as published choose from. */
const TOP_TOKENS: Partial<Record<SearchMethodName, number>> = { epo: EPO_TOP_TOKENS, gcg: GCG_TOP_TOKENS };
const MOST_TOKENS = 256;

/** How many times as many children a large generation has. */
const LARGER = 2;

const breeds = (method: SearchMethodName) => method === 'auto' || method === 'evolve';

export interface SearchTools {
  /** What the search works against: a large reference class is halved, and half of it is held out. */
  readonly probe: Probe;
  /** The same with the whole reference class, for explanations. */
  readonly whole: Probe;
  /** What a method is given beside its budget and its random numbers. */
  arenaFor(method: SearchMethodName): Omit<ArenaOptions, 'random'>;
  /** Its graphs are closed; at the first call. */
  dispose(): Promise<void>;
}

/** Compiles what the search needs in any case; the rest is compiled when it is first used. */
export async function openTools(
  options: SearchOptions,
  subject: TextSubject,
  plan: Resolved,
  calibration: Calibration,
): Promise<SearchTools> {
  const { method, fluency } = options;
  const { probe, whole } = await openProbes(options, subject, plan, calibration);
  const positions = options.length + 1;
  const turn = batchFor(subject.spec.dModel, positions);
  const batch = callBatch(turn);
  const parents = parentsOf(turn);
  const drawing = { subject, positions, batch: slotsFor(subject, positions, batch), parents };
  const samplers = options.samplers ?? new KeptSamplers();
  const sampler = await samplers.get(drawing);
  // Another prior's cross entropy is no figure of these graphs.
  const shortcuts: Shortcuts = fluency
    ? noShortcuts
    : (options.shortcuts ?? shortcutsFor(subject, await traitsHere(subject.engine)));
  const engines = enginesOfHalves(shortcuts, subject);
  const screening = openScreen(shortcuts, { probe, positions, parents, batch, engines });
  // GCG stays as published.
  const precision: Precision = shortcuts.roughProposals && method !== 'gcg' ? 'rough' : 'float32';
  const isRough = precision === 'rough' && breeds(method);
  const generation = shortcuts.largeGenerations ? LARGER * turn : turn;
  const draftsOf = { ...drawing, precision, ...toldByDrafts(shortcuts, probe) };
  const drafts = !isRough
    ? sampler
    : engines
      ? await SamplerPair.create({ ...draftsOf, parents: parentsOfHalf(parents) }, engines)
      : await Sampler.create(draftsOf);
  const proposer = new Proposer({
    probe,
    positions,
    precision,
    // Most of a generation's parents are known already.
    batch: Math.max(1, parents / 4),
    asked: method === 'gcg' ? 1 : 8,
    count: TOP_TOKENS[method] ?? MOST_TOKENS,
  });
  const shared = {
    subject,
    probe,
    proposer,
    positions,
    turn,
    batch,
    sharesPrefixes: sharesPrefixes(shortcuts, subject),
    ...(engines && { engines }),
    quiet: await loudest(probe, subject, options.quietOn ?? [], options.signal),
    ...given(options),
    ...(screening && { screen: screening.way }),
  };
  return {
    probe,
    whole,
    arenaFor: (name) =>
      breeds(name) ? { ...shared, turn: generation, parents, sampler: drafts } : { ...shared, sampler },
    dispose: once(async () => {
      if (drafts !== sampler) drafts.dispose();
      if (!options.samplers) samplers.dispose();
      await Promise.all([screening?.dispose(), probe.dispose(), whole.dispose(), proposer.dispose()]);
    }),
  };
}

async function openProbes(
  { at, seed }: SearchOptions,
  subject: TextSubject,
  { objective, reference }: Resolved,
  calibration: Calibration,
): Promise<Pick<SearchTools, 'probe' | 'whole'>> {
  const probing = { subject, objective, calibration, at };
  const { seen, heldOut } = splitReference(reference, seed);
  const probe = await Probe.create({ ...probing, reference: seen, ...(heldOut && { heldOut }) });
  return { probe, whole: heldOut ? await Probe.create({ ...probing, reference }) : probe };
}

/** What the user gave the search, under the arena's names. */
function given({ naturalText, fluency, policy, gamma, lambda }: SearchOptions) {
  return {
    ...(naturalText && { naturalText }),
    ...(fluency && { fluency }),
    ...(policy && { policy }),
    ...(gamma !== undefined && { gamma }),
    ...(lambda !== undefined && { lambda }),
  };
}
