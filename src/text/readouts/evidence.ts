/**
 * @file The graphs behind an explanation: one text read for all that is said of its peak, and many variants of it
 * read for z alone.
 *
 * Texts are filled up to a common length, so that one graph serves many; a causal model's values do not depend on
 * what stands behind them, and `counted` says which positions are the text's. What the frame puts after a text is a part
 * of the sequence here, so that it stands right behind it.
 */
import { type Compiled, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TensorSpec } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { withoutTail } from '../lm/spec.js';
import { forward, type Pass, sequenceLogProbs } from '../lm/transformer.js';
import { bannedMask } from '../sampling/draw-steps.js';
import type { GroupStatistics } from './group-statistics.js';
import { behindFinalNorm } from './head-deltas.js';
import type { Probe } from './probe.js';
import type { Effect } from './readout.js';
import { scoreCounted } from './sequence-score.js';
import { writtenLogits } from './written-logits.js';

/** What one unit does to the network behind it. */
interface UnitEffect {
  readonly of: Effect;
  readonly index: number;
  readonly usual: GroupStatistics;
}

export interface EvidenceOptions {
  readonly probe: Probe;
  /** The unit whose effect is reported, and what it does on average; null for sums, and for units without effect. */
  readonly effect: UnitEffect | null;
  /** Tokens the prior proposes a position. */
  readonly proposals: number;
}

/**
 * Reads one text. Inputs: `ids` `[1, positions]`; `counted` and `present` `[positions]`, 1 at the positions that the
 * score is made of, and at all of the text's past 0.
 *
 * Outputs: `raw`, `z` `[1, positions]`; `logProbs` `[1, positions - 1]`; `score` `[1]`; `rivals0` … `[1, unit]`, one
 * a part of the reference class; `proposed` `[positions - 1, proposals]`, for the token behind each position; of heads
 * `attention`, `contribution` `[positions]`, from the peak; of heads, neurons and experts those of
 * `writtenLogits`.
 */
export function compileReading(options: EvidenceOptions, positions: number): Promise<Compiled> {
  const { probe, proposals } = options;
  const { subject, at, reference } = probe.options;
  const spec = withoutTail(subject.spec);
  return compileWith(
    probe,
    { ids: { shape: [1, positions], dtype: 'int32' }, ...masks(positions) },
    (inputs, w) => {
      const ids = inputs.ids!;
      const read = forward(spec, w, { ids });
      const { raw, z } = probe.unitAtPositions(w, read);
      const peak = oneHotPeak(z, inputs.present!);
      const rivals = reference.parts.map(
        (part, i) => [`rivals${i}`, scoreCounted(probe.rivalZ(w, read, part), at, inputs.counted!)] as const,
      );
      const logits = tf.slice(read.at('logits'), [0, 0, 0], [1, positions - 1, spec.vocab]);
      const allowed = tf.add(
        tf.reshape(logits, [positions - 1, spec.vocab]),
        bannedMask(spec.vocab, subject.excluded()),
      );
      return {
        raw,
        z,
        logProbs: sequenceLogProbs(spec, w, read, ids),
        score: scoreCounted(z, at, inputs.counted!),
        ...Object.fromEntries(rivals),
        proposed: tf.topk(allowed, proposals).indices,
        ...attentionFrom(options, w, read, peak),
        ...logitsWritten(options, w, read, peak),
      };
    },
  );
}

/** z of variants: `ids` `[batch, positions]` and `counted` in, `score` `[batch]` out. */
export function compileVariants(probe: Probe, batch: number, positions: number): Promise<Compiled> {
  const { subject, at } = probe.options;
  const spec = withoutTail(subject.spec);
  const { counted } = masks(positions);
  return compileWith(probe, { ids: { shape: [batch, positions], dtype: 'int32' }, counted }, (inputs, w) => {
    const { z } = probe.unitAtPositions(w, forward(spec, w, { ids: inputs.ids! }));
    return { score: scoreCounted(z, at, inputs.counted!) };
  });
}

function compileWith(
  probe: Probe,
  inputs: Record<string, TensorSpec>,
  fn: (inputs: Record<string, tf.Tensor>, weights: WeightLookup) => Record<string, tf.Tensor>,
): Promise<Compiled> {
  return compile(fn, { ...probe.compiling, inputs });
}

function masks(positions: number): { counted: TensorSpec; present: TensorSpec } {
  return { counted: { shape: [positions] }, present: { shape: [positions] } };
}

// -- traced ----------------------------------------------------------------------------------------------------

/** 1 where z `[1, pos]` is largest among the positions present: `[1, pos]`. */
function oneHotPeak(z: tf.Tensor, present: tf.Tensor): tf.Tensor2D {
  const masked = tf.add(z, tf.mul(tf.sub(present, 1), 1e9));
  return tf.cast(tf.oneHot(tf.argMax(masked, 1) as tf.Tensor1D, z.shape[1]!), 'float32') as tf.Tensor2D;
}

/** Where the unit looks from the peak; nothing for units that do not look. */
function attentionFrom(
  { probe, effect }: EvidenceOptions,
  weights: WeightLookup,
  pass: Pass,
  peak: tf.Tensor2D,
): Record<string, tf.Tensor> {
  const context = { spec: probe.options.subject.spec, weights, pass };
  return { ...effect?.of.sources?.(context, effect.index, peak) };
}

/** The logits that the unit's own output raises and lowers most; nothing for units that write nothing. */
function logitsWritten(
  { probe, effect }: EvidenceOptions,
  weights: WeightLookup,
  pass: Pass,
  peak: tf.Tensor2D,
): Record<string, tf.Tensor> {
  if (!effect) return {};
  const { spec } = probe.options.subject;
  const context = { spec, weights, pass };
  const written = effect.of.written(context, effect.index, effect.usual); // [1, rows, dModel]
  const rows = tf.reshape(behindFinalNorm(context, written), [-1, spec.dModel]) as tf.Tensor2D;
  return writtenLogits(spec, weights, tf.matMul(peak, rows));
}
