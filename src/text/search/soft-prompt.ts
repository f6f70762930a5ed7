/**
 * @file The graphs of soft prompts: a text relaxed to something with a gradient, and the gradient of
 * z - gamma * rivals - lambda * cross entropy there.
 *
 * `project`: vectors free to move, read as the tokens nearest to them, the gradient passed straight through (PEZ,
 * Wen et al. 2023). `relax`: a distribution over tokens at each position, drawn from by Gumbel-softmax, with the
 * expected cross entropy as fluency (GBDA, Guo et al. 2021).
 */
import { type Compiled, compile } from '../../engine/compile.js';
import { logSoftmax } from '../../engine/functions/ops.js';
import { ofEachRow } from '../../engine/functions/tall-matrix.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { embeddingTable, embedTokens } from '../lm/embed.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import { unembed } from '../lm/unembed.js';
import type { Probe } from '../readouts/probe.js';
import { bannedMask } from '../sampling/draw-steps.js';

export interface SoftOptions {
  readonly probe: Probe;
  /** How much the softmax-weighted rivals count against the unit. */
  readonly gamma: number;
  readonly positions: number;
  readonly batch: number;
}

/**
 * `soft` `[batch, positions - 1, dModel]` and `lambda` `[batch]` in; `gradient` (ascending, as `soft`), the nearest
 * tokens `ids` `[batch, positions - 1]` and `softZ` `[batch]` of the vectors themselves out.
 */
export function compileProjected(options: SoftOptions): Promise<Compiled> {
  const { probe, gamma, batch, positions } = options;
  const { subject } = probe.options;
  const { spec, start } = subject;
  const size = [batch, positions - 1, spec.dModel];
  return compile(
    (inputs, w) => {
      const table = embeddingTable(spec, w); // [vocab, dModel]
      const flat = tf.reshape(inputs.soft!, [batch * (positions - 1), spec.dModel]) as tf.Tensor2D;
      // Nearest in the plain distance: the largest s.e - |e|^2 / 2.
      const lengths = ofEachRow(table, (rows) => tf.sum(tf.square(rows), 1));
      const closeness = tf.sub(tf.matMul(flat, table, false, true), tf.mul(lengths, 0.5));
      const nearest = tf.argMax(tf.add(closeness, bannedMask(spec.vocab, subject.excluded())), 1);
      const ids = tf.reshape(nearest, [batch, positions - 1]);
      const whole = tf.concat([tf.fill([batch, 1], start, 'int32'), ids], 1);
      const objective = (x: tf.Tensor) => {
        const run = forward(spec, w, { embeddings: behindStart(options, w, x) });
        const crossEntropy = tf.neg(tf.mean(sequenceLogProbs(spec, w, run, whole), 1));
        return tf.sum(
          tf.sub(probe.selectiveZ(w, run, tf.fill([batch], gamma)), tf.mul(inputs.lambda!, crossEntropy)),
        );
      };
      const gradient = tf.grad(objective)(embedTokens(spec, w, ids));
      const soft = forward(spec, w, { embeddings: behindStart(options, w, inputs.soft!) });
      return { gradient, ids, softZ: probe.unitZ(w, soft) };
    },
    { ...probe.compiling, inputs: { soft: { shape: size }, lambda: { shape: [batch] } } },
  );
}

/**
 * `soft` `[batch, positions - 1, vocab]` (logits), `noise` (Gumbel, likewise), `sharpness` (one over the
 * temperature) and `lambda` in; outputs as of `compileProjected`, `ids` the likeliest of what was drawn.
 */
export function compileRelaxed(options: SoftOptions): Promise<Compiled> {
  const { probe, gamma, batch, positions } = options;
  const { subject } = probe.options;
  const { spec } = subject;
  const size = [batch, positions - 1, spec.vocab];
  return compile(
    (inputs, w) => {
      const table = embeddingTable(spec, w);
      const allowed = bannedMask(spec.vocab, subject.excluded());
      const drawn = (logits: tf.Tensor) =>
        tf.softmax(tf.mul(tf.add(tf.add(logits, inputs.noise!), allowed), inputs.sharpness!));
      const read = (logits: tf.Tensor) => {
        const shares = drawn(logits);
        const flat = tf.reshape(shares, [batch * (positions - 1), spec.vocab]) as tf.Tensor2D;
        const mixed = tf.reshape(tf.matMul(flat, table), [batch, positions - 1, spec.dModel]);
        return { shares, run: forward(spec, w, { embeddings: behindStart(options, w, mixed) }) };
      };
      const objective = (logits: tf.Tensor) => {
        const { shares, run } = read(logits);
        const hidden = tf.slice(
          run.at('ln_final.hook_normalized'),
          [0, 0, 0],
          [batch, positions - 1, spec.dModel],
        );
        const flat = tf.reshape(hidden, [batch * (positions - 1), spec.dModel]) as tf.Tensor2D;
        const logProbs = logSoftmax(unembed(spec, w, flat));
        const expected = tf.sum(tf.mul(shares, tf.reshape(logProbs, size)), 2); // [batch, positions - 1]
        const fluency = tf.mul(inputs.lambda!, tf.mean(expected, 1));
        return tf.sum(tf.add(probe.selectiveZ(w, run, tf.fill([batch], gamma)), fluency));
      };
      const gradient = tf.grad(objective)(inputs.soft!);
      const { shares, run } = read(inputs.soft!);
      return { gradient, ids: tf.argMax(shares, 2), softZ: probe.unitZ(w, run) };
    },
    {
      ...probe.compiling,
      inputs: {
        soft: { shape: size },
        noise: { shape: size },
        sharpness: { shape: [] },
        lambda: { shape: [batch] },
      },
    },
  );
}

/**
 * `ids` `[batch, positions - 1]` in; their `embeddings` `[batch, positions - 1, dModel]` and the `scale` of all tokens'
 * embeddings (root mean square of an entry) out.
 */
export function compileEmbeddings({ probe, batch, positions }: SoftOptions): Promise<Compiled> {
  const { spec } = probe.options.subject;
  return compile(
    ({ ids }, w) => {
      const squares = ofEachRow(embeddingTable(spec, w), (rows) => tf.mean(tf.square(rows), 1));
      return { embeddings: embedTokens(spec, w, ids!), scale: tf.sqrt(tf.mean(squares)) };
    },
    { ...probe.compiling, inputs: { ids: { shape: [batch, positions - 1], dtype: 'int32' } } },
  );
}

/** Embeddings with the start token's in front: `[batch, positions, dModel]`. */
function behindStart({ probe, batch }: SoftOptions, w: WeightLookup, x: tf.Tensor): tf.Tensor {
  const { spec, start } = probe.options.subject;
  return tf.concat([embedTokens(spec, w, tf.fill([batch, 1], start, 'int32')), x], 1);
}
