/**
 * @file The measures of heads: a new one is an object here. Their names are known wherever this file is imported;
 * TensorFlow.js is loaded when one is read.
 */
import { centredGram, meanRow } from '../../engine/functions/tall-matrix.js';
import * as tf from '../../engine/functions/tfjs.js';
import { headDeltaWeights } from '../lm/matrices.js';
import { logitDirections } from '../lm/unembed.js';
import { behindFinalNorm, byPosition, headDeltas, headMixes, normsIn } from './head-deltas.js';
import type { PassContext } from './readout.js';

/** How all heads of a layer are measured in one go. */
export interface HeadMeasurement {
  /** Its part of the group's key. */
  readonly key: string;
  /** Whether heads are centred on their mean output. */
  readonly centred: boolean;
  /** Whether it goes through the final norm, and so needs every layer. */
  readonly throughOutput: boolean;
  /** The measure that is reported as raw value, where it is another. */
  readonly reportedAs?: HeadMeasurement;
  /**
   * @param centre - mean of each head's mix of values, `[head * dHead]`, where `centred`
   * @returns `[batch, pos, head]`
   */
  read(context: PassContext, layer: number, centre?: Float32Array): tf.Tensor;
}

/**
 * L2 norms of residual deltas, through the Gram matrix W_O W_O^T of dHead x dHead. It depends on weights alone, and the
 * deltas of dModel entries are never written out.
 */
function deltaNorms(context: PassContext, layer: number, centre?: Float32Array): tf.Tensor {
  const { spec, weights, pass } = context;
  const output = headDeltaWeights(spec, weights, layer); // [head, dHead, dModel]
  const gram = tf.matMul(output, output, false, true);
  return byPosition(normsIn(headMixes(context, layer, centre), gram), pass, layer);
}

/** Norm of o_h itself. */
const raw: HeadMeasurement = {
  key: 'raw',
  centred: false,
  throughOutput: false,
  read: (context, layer) => deltaNorms(context, layer),
};

/** Norm of o_h less its mean over calibration tokens. The plain norm is reported: it is understood without calibration. */
const delta: HeadMeasurement = {
  key: 'delta',
  centred: true,
  throughOutput: false,
  reportedAs: raw,
  read: deltaNorms,
};

/** The largest entry of the pattern beyond the sink at position 0. */
const attention: HeadMeasurement = {
  key: 'attention',
  centred: false,
  throughOutput: false,
  read({ pass }, layer) {
    const pattern = pass.at(`blocks.${layer}.attn.hook_pattern`); // [batch, head, qPos, kPos]
    const [batch, head, queries, keys] = pattern.shape as [number, number, number, number];
    // With one key there is nothing beyond the sink.
    if (keys === 1) return tf.zeros([batch, queries, head]);
    const beyond = tf.max(tf.slice(pattern, [0, 0, 0, 1], [batch, head, queries, keys - 1]), -1);
    return tf.transpose(beyond, [0, 2, 1]);
  },
};

/**
 * What the centred o_h writes to the logits, through the final norm with its scale frozen; its L2 norm, mean-subtracted
 * over the vocabulary.
 */
const logits: HeadMeasurement = {
  key: 'logits',
  centred: true,
  throughOutput: true,
  read(context, layer, centre) {
    const { spec, weights, pass } = context;
    const written = behindFinalNorm(context, headDeltas(context, layer, centre));
    const matrix = logitDirections(spec, weights);
    const gram = centredGram(matrix); // [dModel, dModel]
    const flat = tf.reshape(written, [1, -1, spec.dModel]) as tf.Tensor3D;
    const norms = normsIn(flat, tf.expandDims(gram, 0));
    return byPosition(tf.reshape(norms, [spec.heads, -1]), pass, layer);
  },
};

/** `logits:TOKEN`: what it adds to one token's logit, signed. */
const towardToken = (token: number): HeadMeasurement => ({
  key: `toward ${token}`,
  centred: true,
  throughOutput: true,
  read(context, layer, centre) {
    const { spec, weights, pass } = context;
    const written = behindFinalNorm(context, headDeltas(context, layer, centre));
    const matrix = logitDirections(spec, weights);
    const row = tf.sub(tf.gather(matrix, tf.tensor1d([token], 'int32')), meanRow(matrix)); // [1, dModel]
    return byPosition(tf.sum(tf.mul(written, row), -1), pass, layer);
  },
});

const measurements = { delta, raw, attention, logits } as const;

export type HeadMeasure = keyof typeof measurements;
export const headMeasures = Object.keys(measurements) as HeadMeasure[];

/** What of a head is measured: a measure by name, or the signed logit change toward a token. */
export type MeasureChoice = HeadMeasure | { readonly toward: number };

export const measurementOf = (choice: MeasureChoice): HeadMeasurement =>
  typeof choice === 'string' ? measurements[choice] : towardToken(choice.toward);

/** The token of `logits:TOKEN`; undefined for other measures. */
export const tokenOfMeasure = (measure: string): string | undefined => /^logits:(.+)$/s.exec(measure)?.[1];

/** What a measure must be, for people. */
export const measureRule = `${headMeasures.join(', ')} or logits:TOKEN`;

/** Whether a text keeps to `measureRule`. */
export const isMeasure = (text: string): boolean =>
  headMeasures.some((measure) => measure === text) || tokenOfMeasure(text) !== undefined;
