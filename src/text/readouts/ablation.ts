/**
 * @file Mean ablation: what the model's predictions lose when a unit always does what it does on average. It
 * confirms causally what a search found; it is no target of a search itself.
 */

import { UsageError } from '../../core/errors.js';
import { type Compiled, compile } from '../../engine/compile.js';
import { logSoftmax } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { Edits } from '../lm/reading.js';
import type { Subject } from '../lm/subject.js';
import { forward } from '../lm/transformer.js';
import type { Calibration } from './calibration.js';
import type { TextObjective } from './objective.js';

export interface AblationOptions {
  readonly subject: Subject;
  readonly objective: TextObjective;
  readonly calibration: Calibration;
}

/**
 * KL divergence at each position between the model's next-token distribution and that of the model whose head
 * writes its mean residual delta (whose neuron has its mean activation, whose expert its mean weight) everywhere; of a sum,
 * all of its units.
 *
 * @param ids - one sequence, BOS in front
 * @returns `[positions]`, nats
 * @throws UsageError for units that are no head, neuron or expert
 */
export async function ablationDivergence(options: AblationOptions, ids: Int32Array): Promise<Float32Array> {
  const program = await compileAblation(options, ids.length);
  const { divergence } = await program.run({ ids });
  program.dispose();
  return divergence as Float32Array;
}

/** The graph behind `ablationDivergence`: `ids` `[1, positions]` in, `divergence` `[1, positions]` out. */
export async function compileAblation(options: AblationOptions, positions: number): Promise<Compiled> {
  const { spec, weights, engine } = options.subject;
  const edits = await meanAblation(options);
  return compile(
    (inputs, lookup) => {
      const logProbs = (changes: Edits) =>
        logSoftmax(forward(spec, lookup, { ids: inputs.ids! }, changes).at('logits'));
      const [whole, ablated] = [logProbs({}), logProbs(edits)]; // [1, pos, vocab]
      return { divergence: tf.sum(tf.mul(tf.exp(whole), tf.sub(whole, ablated)), -1) };
    },
    { inputs: { ids: { shape: [1, positions], dtype: 'int32' } }, weights, engine },
  );
}

/** Whether `ablationDivergence` can say something of an objective. */
export const canAblate = ({ terms }: TextObjective): boolean =>
  terms.every(({ readout }) => readout.group.effect !== undefined);

/** All units of the objective at once. */
async function meanAblation({ objective, calibration }: AblationOptions): Promise<Edits> {
  const edits: Record<string, Edits[string]> = {};
  for (const { readout } of objective.terms) {
    const { effect } = readout.group;
    if (!effect)
      throw new UsageError(`${readout.name} cannot be ablated: only heads, neurons and experts can`);
    const own = effect.ablation(readout.index, await calibration.statistics(effect.usual));
    for (const [place, edit] of Object.entries(own)) {
      const before = edits[place];
      edits[place] = before ? (x) => edit(before(x)) : edit;
    }
  }
  return edits;
}
