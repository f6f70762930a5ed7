/** @file Counting the moments of many groups of units at once: one graph reads a batch of text for all of them. */
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { EventBody } from '../../runs/events.js';
import { padRows } from '../lm/rows.js';
import { withoutTail } from '../lm/spec.js';
import type { Subject } from '../lm/subject.js';
import { forward } from '../lm/transformer.js';
import { calibrationPhase } from './calibration-progress.js';
import type { GroupStatistics } from './group-statistics.js';
import { broughtBy, type Fit, type PassContext, type ReadoutGroup } from './readout.js';
import { RunningMoments } from './running-moments.js';

/** Sequences to count over. */
export interface CalibrationText {
  /** `[count, positions]`, BOS in front. */
  readonly ids: Int32Array;
  readonly positions: number;
  readonly source: 'prior' | 'corpus';
  /** Says which text this is: equal for equal text. */
  readonly key: string;
}

interface Counted {
  readonly key: string;
  readonly size: number;
  /** `[batch, pos, size]` */
  readonly values: (context: PassContext) => tf.Tensor;
}

interface CountOptions {
  readonly subject: Subject;
  /** Arrays that the groups bring. */
  readonly brought: readonly WeightSource[];
  readonly text: CalibrationText;
  readonly phase: string;
  readonly signal: AbortSignal | undefined;
}

type Counting = AsyncGenerator<EventBody, ReadonlyMap<string, GroupStatistics>, void>;

const MOST_SEQUENCES = 64;
/** Numbers that the measures of a batch may have: an engine may keep all of them until the last is read. */
const MOST_VALUES = 2 ** 26;
/** Rows of a batch where weights stay in half precision to save memory: activations of more would take what that saves. */
const MOST_ROWS = 320;

/**
 * Statistics of groups, by key. One pass over the text serves all groups; where some are centred, one for all of their
 * means comes before.
 *
 * @param groups - with different keys
 * @throws the signal's reason, between two batches
 */
export async function* countGroups(
  subject: Subject,
  groups: readonly ReadoutGroup[],
  text: CalibrationText,
  signal?: AbortSignal,
): Counting {
  const brought = broughtBy(groups);
  const count = (phase: string, counted: readonly Counted[]) =>
    countMoments({ subject, brought, text, phase, signal }, counted);

  const toCentre = groups.flatMap(({ key, centre }): Counted[] =>
    centre ? [{ key, size: centre.size, values: ({ pass }) => centre.read(pass) }] : [],
  );
  const centres = toCentre.length > 0 ? yield* count('counting means', toCentre) : null;
  // By depth: each layer's measures are read while its activations are in memory.
  const toCount = [...groups]
    .sort((a, b) => a.depth - b.depth)
    .map((group): Counted => {
      const { key, size } = group;
      return { key, size, values: (context) => group.read(context, centres?.get(key)?.mean) };
    });
  const counted = yield* count('counting moments', toCount);
  return new Map(
    [...counted].map(([key, statistics]) => {
      const centre = centres?.get(key)?.mean;
      return [key, centre ? { ...statistics, centre } : statistics];
    }),
  );
}

/** The mean over a text of what says whether groups fit the model. */
export async function* meanOf(
  subject: Subject,
  fit: Fit,
  text: CalibrationText,
  signal?: AbortSignal,
): AsyncGenerator<EventBody, Float32Array, void> {
  const values = (context: PassContext) => fit.values(context);
  const options = { subject, brought: [fit.weights], text, phase: 'checking', signal };
  const moments = yield* countMoments(options, [{ key: fit.key, size: fit.size, values }]);
  return moments.get(fit.key)!.mean;
}

/** Mean, deviation and maximum over all positions but the first of every sequence. */
async function* countMoments(
  { subject, brought, text, phase, signal }: CountOptions,
  counted: readonly Counted[],
): Counting {
  const { weights, engine } = subject;
  // Ordinary text ends where it ends.
  const spec = withoutTail(subject.spec);
  const { ids, positions } = text;
  const report = calibrationPhase(phase);
  const count = ids.length / positions;
  yield report(0, count);
  const values = positions * counted.reduce((sum, { size }) => sum + size, 0);
  const rows = weights.halves?.stay ? MOST_ROWS : Infinity;
  const fitting = Math.floor(Math.min(MOST_VALUES / values, rows / positions));
  const batch = Math.min(MOST_SEQUENCES, count, Math.max(4, fitting));
  const program = await compile(
    (inputs, lookup) => {
      const context = { spec, weights: lookup, pass: forward(spec, lookup, { ids: inputs.ids! }) };
      return Object.assign({}, ...counted.map((group, i) => momentsOf(group, context, i)));
    },
    {
      inputs: { ids: { shape: [batch, positions], dtype: 'int32' } },
      weights: extendWeights(weights, brought),
      engine,
    },
  );
  try {
    const totals = counted.map(({ size }) => new RunningMoments(size, positions - 1));
    for (let start = 0; start < count; start += batch) {
      signal?.throwIfAborted();
      const rows = Math.min(batch, count - start);
      const part = padRows(ids.subarray(start * positions, (start + rows) * positions), batch, positions);
      const moments = await program.run({ ids: part });
      for (const [i, { size }] of counted.entries()) {
        const of = (name: string, row: number) =>
          moments[named(name, i)]!.subarray(row * size, (row + 1) * size);
        for (let row = 0; row < rows; row++)
          totals[i]!.add(of('mean', row), of('spread', row), of('max', row));
      }
      yield report(start + rows, count);
    }
    return new Map(counted.map(({ key }, i) => [key, totals[i]!.result()]));
  } finally {
    program.dispose();
  }
}

const named = (name: string, group: number) => `${name} ${group}`;

/** Moments of a group by sequence: a filled-up batch then counts its real rows only. `[batch, size]` each. */
function momentsOf(
  { size, values }: Counted,
  context: PassContext,
  group: number,
): Record<string, tf.Tensor> {
  const all = values(context); // [batch, pos, size]
  const [batch, pos] = all.shape as [number, number];
  const counted = tf.slice(all, [0, 1, 0], [batch, pos - 1, size]);
  const mean = tf.mean(counted, 1, true);
  return {
    [named('mean', group)]: tf.squeeze(mean, [1]),
    [named('spread', group)]: tf.sum(tf.square(tf.sub(counted, mean)), 1),
    [named('max', group)]: tf.max(counted, 1),
  };
}
