/** @file What experts and their neurons write to the stream, and how they are ablated. */
import * as tf from '../../engine/functions/tfjs.js';
import { expertOutputBias, expertOutputWeights } from '../lm/matrices.js';
import type { Edits } from '../lm/reading.js';
import { expertsOf } from '../lm/spec.js';
import type { GroupStatistics } from './group-statistics.js';
import { behindMlpNorm, withMean } from './kind.js';
import type { Effect, PassContext, ReadoutGroup } from './readout.js';

/** The experts of a layer: the output of each times its weight. What is usual is the weight. */
export class ExpertEffect implements Effect {
  constructor(
    readonly usual: ReadoutGroup,
    private readonly layer: number,
  ) {}

  written(context: PassContext, index: number): tf.Tensor {
    const { layer } = this;
    const { spec, weights } = context;
    const biases = expertOutputBias(spec, weights, layer, index);
    const output = neuronsWrite(context, layer, index, postOf(context, layer, index));
    const whole = tf.mul(biases ? tf.add(output, biases) : output, shareOf(context, layer, index));
    return behindMlpNorm(context, layer, whole);
  }

  writtenByEach(context: PassContext, own: tf.Tensor): tf.Tensor {
    const [batch, experts] = own.shape as [number, number];
    const each = Array.from({ length: experts }, (_, index) => {
      const written = this.written(context, index); // [1, rows, dModel]
      const bySequence = tf.reshape(written, [batch, -1, written.shape[2]!]);
      const chosen = tf.reshape(tf.slice(own, [0, index], [batch, 1]), [batch, 1, 1]);
      return tf.reshape(tf.mul(bySequence, chosen), written.shape);
    });
    return tf.addN(each);
  }

  ablation(index: number, { mean }: GroupStatistics): Edits {
    return { [`blocks.${this.layer}.mlp.hook_shares`]: (x) => withMean(x, index, tf.tensor1d(mean)) };
  }
}

/** The neurons of an expert: activation times weight, times their row of the down projection. */
export class ExpertNeuronEffect implements Effect {
  /** @param usual - the neurons times the expert's weight (`weightedNeurons`) */
  constructor(
    readonly usual: ReadoutGroup,
    private readonly layer: number,
    private readonly expert: number,
  ) {}

  written(context: PassContext, index: number): tf.Tensor {
    const { neurons } = expertsOf(context.spec, this.layer)!;
    const own = tf.oneHot(tf.tensor1d([index], 'int32'), neurons, 1, 0, 'float32'); // [1, neuron]
    return this.writtenByEach(context, own);
  }

  writtenByEach(context: PassContext, own: tf.Tensor): tf.Tensor {
    const { layer, expert } = this;
    const chosen = tf.mul(weightedNeurons(context, layer, expert), tf.expandDims(own, 1));
    return behindMlpNorm(context, layer, neuronsWrite(context, layer, expert, chosen));
  }

  ablation(index: number, { mean }: GroupStatistics): Edits {
    const place = `blocks.${this.layer}.mlp.experts.${this.expert}.hook_weighted`;
    return { [place]: (x) => withMean(x, index, tf.tensor1d(mean)) };
  }
}

/** Neurons of an expert times its weight, 0 where it is not chosen: `[batch, pos, neuron]`. */
export function weightedNeurons(context: PassContext, layer: number, expert: number): tf.Tensor {
  const post = postOf(context, layer, expert);
  const [batch, pos] = post.shape as [number, number];
  return tf.mul(post, tf.reshape(shareOf(context, layer, expert), [batch, pos, 1]));
}

const postOf = ({ pass }: PassContext, layer: number, expert: number): tf.Tensor =>
  pass.at(`blocks.${layer}.mlp.experts.${expert}.hook_post`);

/** The expert's weight, `[1, rows, 1]`. */
function shareOf({ pass }: PassContext, layer: number, expert: number): tf.Tensor {
  const shares = pass.at(`blocks.${layer}.mlp.hook_shares`); // [batch, pos, expert]
  const [batch, pos] = shares.shape as [number, number];
  return tf.reshape(tf.slice(shares, [0, 0, expert], [batch, pos, 1]), [1, batch * pos, 1]);
}

/** `[batch, pos, neuron]` to `[1, rows, dModel]`. */
function neuronsWrite(
  { spec, weights }: PassContext,
  layer: number,
  expert: number,
  neurons: tf.Tensor,
): tf.Tensor {
  const matrix = expertOutputWeights(spec, weights, layer, expert) as tf.Tensor2D;
  const rows = tf.reshape(neurons, [-1, matrix.shape[0]]) as tf.Tensor2D;
  return tf.expandDims(tf.matMul(rows, matrix), 0);
}
