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
import type { MeasuredUnit } from './reference.js';

export interface AblationOptions {
  readonly subject: Subject;
  readonly unit: MeasuredUnit;
  readonly calibration: Calibration;
}

/**
 * KL divergence at each position between the model's next-token distribution and that of the model whose head
 * writes its mean residual delta (whose neuron has its mean activation) everywhere.
 *
 * @param ids - one sequence, BOS in front
 * @returns `[positions]`, nats
 * @throws UsageError for units that are no head or neuron
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

/** Whether `ablationDivergence` can say something of a unit. */
export function canAblate({ group }: MeasuredUnit): boolean {
  return group.kind === 'heads' || group.kind === 'headsToward' || group.kind === 'neurons';
}

async function meanAblation({ subject: { spec }, unit, calibration }: AblationOptions): Promise<Edits> {
  const { group, index } = unit;
  if (group.kind === 'heads' || group.kind === 'headsToward') {
    const { centre } = await calibration.statistics({ kind: 'heads', layer: group.layer, measure: 'delta' });
    return {
      [`blocks.${group.layer}.attn.hook_z`]: (z) =>
        replaced(z, index, tf.tensor(centre!, [spec.heads, spec.dHead])),
    };
  }
  if (group.kind === 'neurons') {
    const { mean } = await calibration.statistics({ ...group, pre: false });
    return { [`blocks.${group.layer}.mlp.hook_post`]: (post) => replaced(post, index, tf.tensor1d(mean)) };
  }
  throw new UsageError(`${unit.name} cannot be ablated: only heads and neurons can`);
}

/** The activation with unit `index` (along axis 2) put to its mean. @param mean - broadcasts from axis 2 on */
function replaced(activation: tf.Tensor, index: number, mean: tf.Tensor): tf.Tensor {
  const units = activation.shape[2]!;
  const shape = [units, ...activation.shape.slice(3).map(() => 1)];
  const chosen = tf.reshape(tf.oneHot(tf.tensor1d([index], 'int32'), units), shape);
  return tf.add(tf.mul(activation, tf.sub(1, chosen)), tf.mul(mean, chosen));
}
