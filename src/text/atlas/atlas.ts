/** @file `superstim atlas` as a library function: texts for very many units of a model in one search. */
import { UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { Random } from '../../core/random.js';
import { eventClock, finishedEvent, type Run, stamped } from '../../runs/events.js';
import { splitRows } from '../lm/rows.js';
import { openSubject, type TextSubject } from '../lm/subject.js';
import { calibrate } from '../readouts/session.js';
import { Sampler } from '../sampling/sampler.js';
import type { AtlasOptions } from './atlas-options.js';
import type { AtlasSummary, AtlasUnit } from './atlas-unit.js';
import { describeUnits, evidenceAmount } from './describe-units.js';
import { driveAtlas } from './drive-atlas.js';
import { checkAtlas, openArena } from './open-arena.js';

export interface AtlasResult {
  cost: { seconds: number; evaluations: number; token_layers: number };
  /** Geometric mean over units, nats times sigmas. */
  hypervolume: number;
  units: AtlasSummary[];
}

/** Positions and number of the samples that statistics of heads are counted over. */
const ORDINARY = { positions: 65, count: 32 } as const;

/**
 * Searches texts for many units at once: every text is scored for all of them.
 *
 * @param keep - gets what is known of the units at the end, some at a time, in their order
 * @throws UsageError for units, a reference class, a length or a budget that make no sense, before anything is computed;
 *   UserError when no text at all could be scored
 */
export async function* searchAtlas(
  options: AtlasOptions,
  keep: (units: readonly AtlasUnit[]) => void = () => {},
): Run<AtlasResult> {
  const { model, engine, signal, earlier, seed } = options;
  const event = eventClock(earlier?.clock);
  const plan = checkAtlas(options);
  yield event({ kind: 'started', task: 'atlas', unit: options.units.join(', '), method: null });
  const calibration = yield* calibrate({ ...options, groups: plan.groups }, event);
  yield* calibration.takeWarnings().map(event);
  const subject = openSubject(model, engine);
  const { arena, dispose } = await openArena(options, subject, plan, calibration);
  try {
    yield* stamped(driveAtlas(arena, options), event);
    const { seconds, evaluations, tokenLayers: token_layers } = arena.ledger;
    if (arena.units.every(({ hypervolume }) => hypervolume === 0) && !signal?.aborted)
      throw new UserError(
        `no text was found that excites any of the units: give more ${field('seconds')} or ${field('evaluations')}`,
      );
    const units = yield* stamped(
      describeUnits(
        {
          arena,
          subject,
          signal,
          evidence: evidenceAmount(arena.units.length),
          ordinary: () => ordinaryText(subject, seed),
        },
        keep,
      ),
      event,
    );
    const result: AtlasResult = {
      cost: { seconds, evaluations, token_layers },
      hypervolume: arena.hypervolume,
      units,
    };
    yield event(finishedEvent(result, signal));
    return result;
  } finally {
    await dispose();
  }
}

/** Samples of the model, longer than the atlas's texts. */
async function ordinaryText(subject: TextSubject, seed: number): Promise<Int32Array[]> {
  const positions = Math.min(ORDINARY.positions, subject.spec.context);
  const sampler = await Sampler.create({ subject, positions, batch: ORDINARY.count });
  try {
    return splitRows(await sampler.sample(ORDINARY.count, Random.of(seed, 'ordinary text')), positions);
  } finally {
    sampler.dispose();
  }
}
