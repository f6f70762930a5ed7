/** @file The graphs behind the evidence of an atlas: texts read once for all units, and what chosen units write. */
import { type Compiled, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import { behindFinalNorm } from '../readouts/head-deltas.js';
import type { ReadoutGroup } from '../readouts/readout.js';
import { writtenLogits } from '../readouts/written-logits.js';
import { bannedMask } from '../sampling/draw-steps.js';
import type { Panel } from './panel.js';

/** The atlas's groups, each once, in the order of the outputs below. */
export const ownGroups = (panel: Panel): ReadoutGroup[] => [
  ...new Map(panel.parts.map(({ group }) => [group.key, group])).values(),
];

/**
 * Reads texts. Input: `ids` `[batch, positions]`. Outputs: `logProbs` `[batch, positions - 1]`; `proposed`
 * `[batch, positions - 1, proposals]`, for the token behind each position; by number of the group `z 0`, `raw 0`
 * `[batch, positions, unit]` (`raw` where it is another measure), and of units that look `pattern 0`
 * `[batch, unit, positions, positions]` and `brought 0` `[batch, unit, positions]`.
 */
export function compileAtlasReading(
  panel: Panel,
  batch: number,
  positions: number,
  proposals: number,
): Promise<Compiled> {
  const { subject } = panel.options;
  const { spec } = subject;
  return compile(
    (inputs, lookup) => {
      const ids = inputs.ids!;
      const pass = forward(spec, lookup, { ids });
      const context = panel.context(lookup, pass);
      const logits = tf.slice(pass.at('logits'), [0, 0, 0], [batch, positions - 1, spec.vocab]);
      const allowed = tf.add(logits, bannedMask(spec.vocab, subject.excluded()));
      const outputs: Record<string, tf.Tensor> = {
        logProbs: sequenceLogProbs(spec, lookup, pass, ids),
        proposed: tf.topk(allowed, proposals).indices,
      };
      for (const [i, group] of ownGroups(panel).entries()) {
        outputs[`z ${i}`] = panel.groupZ(context, group);
        outputs[`raw ${i}`] = (group.raw ?? group).read(context, panel.statisticsOf(group).centre);
        const looks = group.looks?.(context);
        if (looks)
          Object.assign(outputs, { [`pattern ${i}`]: looks.pattern, [`brought ${i}`]: looks.brought });
      }
      return outputs;
    },
    { ...panel.compiling, inputs: { ids: { shape: [batch, positions], dtype: 'int32' } } },
  );
}

/**
 * What one unit of each text writes to the logits at its peak. Inputs: `ids` `[batch, positions]`, `own`
 * `[batch, columns]` and `peak` `[batch, positions]`, 1 at the unit and at the peak. Outputs: those of
 * `writtenLogits`. Null for units that write nothing.
 */
export function compileWriting(panel: Panel, batch: number, positions: number): Promise<Compiled> | null {
  const { spec } = panel.options.subject;
  const writing = panel.parts.filter(({ group }) => group.effect);
  if (writing.length === 0) return null;
  return compile(
    (inputs, lookup) => {
      const context = panel.context(lookup, forward(spec, lookup, { ids: inputs.ids! }));
      const written = writing
        .map(({ group, offset }) => {
          const own = tf.slice(inputs.own!, [0, offset], [batch, group.size]);
          return group.effect!.writtenByEach(context, own, panel.usualOf(group));
        })
        .reduce((sum, one) => tf.add(sum, one)); // [1, rows, dModel]
      const rows = tf.reshape(behindFinalNorm(context, written), [batch, positions, spec.dModel]);
      const atPeak = tf.sum(tf.mul(rows, tf.expandDims(inputs.peak!, 2)), 1);
      return writtenLogits(spec, lookup, atPeak);
    },
    {
      ...panel.compiling,
      inputs: {
        ids: { shape: [batch, positions], dtype: 'int32' },
        own: { shape: [batch, panel.columns] },
        peak: { shape: [batch, positions] },
      },
    },
  );
}
