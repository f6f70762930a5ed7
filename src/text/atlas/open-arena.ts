/** @file What an atlas computes with: opened once, freed together. */
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { Random } from '../../core/random.js';
import { batchFor, callBatch } from '../lm/batch-size.js';
import type { TextSubject } from '../lm/subject.js';
import type { Calibration } from '../readouts/calibration.js';
import type { ReadoutGroup } from '../readouts/readout.js';
import { commonRivals, type ReferenceClass } from '../readouts/reference.js';
import { unitContext } from '../readouts/units.js';
import { KeptSamplers } from '../sampling/kept-samplers.js';
import { slotsFor } from '../sampling/slots.js';
import { parentsOf } from '../search/breeding.js';
import { AtlasArena } from './atlas-arena.js';
import type { AtlasOptions } from './atlas-options.js';
import { Panel } from './panel.js';
import { PanelProposer } from './panel-proposer.js';
import { type UnitSet, unitSets } from './unit-pattern.js';

/** Tokens listed a position. */
const MOST_TOKENS = 256;

/** What is asked, looked up. */
export interface AtlasPlan {
  readonly sets: readonly UnitSet[];
  rivalsOf(group: ReadoutGroup): ReferenceClass;
  /** Whose statistics are needed. */
  readonly groups: readonly ReadoutGroup[];
}

/**
 * Finds out what is wrong with a request before anything is computed or written.
 *
 * @throws UsageError for units, a reference class, a length or a budget that make no sense
 */
export function checkAtlas(options: AtlasOptions): AtlasPlan {
  const { model, measure, length, budget, reference, seed } = options;
  if (length + 1 > model.spec.context)
    throw new UsageError(
      `${field('length')} ${length} does not fit the model's context of ${model.spec.context} tokens, one of which is BOS`,
    );
  const amount = 'seconds' in budget ? budget.seconds : 'evaluations' in budget ? budget.evaluations : 1;
  if (!(amount > 0))
    throw new UsageError(
      `a budget of ${amount} leaves nothing to search with: give ${field('seconds')} or ${field('evaluations')} above 0`,
    );
  const context = unitContext(model, measure);
  const sets = unitSets(options.units, context);
  const rivalsOf = (group: ReadoutGroup) => commonRivals(reference, group, context, seed);
  const groups = sets.flatMap(({ group }) => [
    group,
    ...rivalsOf(group).parts.map((part) => part.group),
    ...(group.effect ? [group.effect.usual] : []),
  ]);
  return { sets, rivalsOf, groups };
}

export interface OpenArena {
  readonly panel: Panel;
  readonly arena: AtlasArena;
  dispose(): Promise<void>;
}

export async function openArena(
  options: AtlasOptions,
  subject: TextSubject,
  { sets, rivalsOf }: AtlasPlan,
  calibration: Calibration,
): Promise<OpenArena> {
  const { at, budget, seed, earlier } = options;
  const panel = await Panel.create({ subject, sets, rivalsOf, calibration, at });
  const positions = options.length + 1;
  const turn = batchFor(subject.spec.dModel, positions);
  const batch = panel.batchOf(callBatch(turn), positions);
  const parents = parentsOf(turn);
  const samplers = options.samplers ?? new KeptSamplers();
  const slots = slotsFor(subject, positions, callBatch(turn));
  const sampler = await samplers.get({ subject, positions, batch: slots, parents });
  const proposer = new PanelProposer({
    panel,
    positions,
    batch: Math.max(1, parents / 4),
    count: MOST_TOKENS,
  });
  // What is resumed must not draw again what it drew.
  const random = Random.of(seed, `atlas${earlier?.checkpoint?.evaluations ?? ''}`);
  const arena = new AtlasArena(
    { panel, sampler, proposer, positions, turn, batch, random },
    {
      seconds: 'seconds' in budget ? budget.seconds : Number.POSITIVE_INFINITY,
      evaluations: 'evaluations' in budget ? budget.evaluations : Number.POSITIVE_INFINITY,
      secondsBefore: earlier?.checkpoint?.seconds ?? 0,
    },
  );
  return {
    panel,
    arena,
    dispose: async () => {
      if (!options.samplers) samplers.dispose();
      await Promise.all([panel.dispose(), proposer.dispose()]);
    },
  };
}
