/**
 * @file Update rules as functions of tensors, to be compiled into a training step.
 *
 * A rule sees one parameter at a time; which rule a parameter gets is the trainer's choice.
 */
import * as tf from '../functions/tfjs.js';

/** Running averages of one parameter, by name. */
export type Slots = Record<string, tf.Tensor>;

export interface UpdateRule {
  /** Names of the running averages, each of the parameter's shape and zero at the start. */
  readonly slots: readonly string[];
  /**
   * @param rate - learning rate, a scalar tensor
   * @param step - number of this step, from 1, a scalar tensor
   */
  apply(
    parameter: tf.Tensor,
    gradient: tf.Tensor,
    slots: Slots,
    rate: tf.Tensor,
    step: tf.Tensor,
  ): { parameter: tf.Tensor; slots: Slots };
}

const lerp = (old: tf.Tensor, fresh: tf.Tensor, keep: number) =>
  tf.add(tf.mul(old, keep), tf.mul(fresh, 1 - keep));

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decay a step, in units of the learning rate. */
  readonly weightDecay?: number;
}

/** AdamW (Loshchilov & Hutter, arXiv 1711.05101): Adam with decay of the weights apart from the gradient. */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.95,
  epsilon = 1e-8,
  weightDecay = 0,
}: AdamWOptions = {}): UpdateRule {
  return {
    slots: ['mean', 'square'],
    apply(parameter, gradient, slots, rate, step) {
      const mean = lerp(slots.mean!, gradient, beta1);
      const square = lerp(slots.square!, tf.square(gradient), beta2);
      // Both averages start at zero; dividing by 1 - beta^step takes that out.
      const meanGain = tf.div(rate, tf.sub(1, tf.pow(beta1, step)));
      const squareGain = tf.div(1, tf.sub(1, tf.pow(beta2, step)));
      const direction = tf.div(tf.mul(mean, meanGain), tf.add(tf.sqrt(tf.mul(square, squareGain)), epsilon));
      const decayed = weightDecay === 0 ? parameter : tf.mul(parameter, tf.sub(1, tf.mul(rate, weightDecay)));
      return { parameter: tf.sub(decayed, direction), slots: { mean, square } };
    },
  };
}

export interface MuonOptions {
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly iterations?: number;
}

/**
 * Muon (Jordan 2024, kellerjordan.github.io/posts/muon): Nesterov momentum, made orthogonal by Newton-Schulz
 * iterations. For matrices only. The update is scaled by 0.2 sqrt(max(rows, columns)) so that its size is
 * AdamW's and both share a learning rate (Liu et al., arXiv 2502.16982).
 */
export function muon({ momentum = 0.95, weightDecay = 0, iterations = 5 }: MuonOptions = {}): UpdateRule {
  return {
    slots: ['momentum'],
    apply(parameter, gradient, slots, rate) {
      const average = lerp(slots.momentum!, gradient, momentum);
      const direction = orthogonalize(lerp(gradient, average, 1 - momentum) as tf.Tensor2D, iterations);
      const [rows, columns] = parameter.shape as [number, number];
      const gain = tf.mul(rate, 0.2 * Math.sqrt(Math.max(rows, columns)));
      const decayed = weightDecay === 0 ? parameter : tf.mul(parameter, tf.sub(1, tf.mul(rate, weightDecay)));
      return { parameter: tf.sub(decayed, tf.mul(direction, gain)), slots: { momentum: average } };
    },
  };
}

/**
 * U V^T of the matrix's singular value decomposition, roughly: singular values end up in [0.7, 1.2]. Each iteration multiplies by a
 * polynomial of the matrix of inner products, and these are taken along instead of the matrix: they are square and small.
 */
function orthogonalize(matrix: tf.Tensor2D, iterations: number): tf.Tensor2D {
  const isTall = matrix.shape[0] > matrix.shape[1];
  const x = tf.div(matrix, tf.add(tf.sqrt(tf.sum(tf.square(matrix))), 1e-7)) as tf.Tensor2D;
  let gram = tf.matMul(x, x, isTall, !isTall);
  const identity = tf.eye(gram.shape[0]);
  let factor = identity;
  for (let i = 0; i < iterations; i++) {
    const squares = tf.mul(tf.matMul(gram, gram), 2.0315);
    const polynomial = tf.add(tf.mul(identity, 3.4445), tf.add(tf.mul(gram, -4.775), squares)) as tf.Tensor2D;
    factor = i === 0 ? polynomial : tf.matMul(polynomial, factor);
    if (i < iterations - 1) gram = tf.matMul(polynomial, tf.matMul(gram, polynomial));
  }
  return isTall ? tf.matMul(x, factor) : tf.matMul(factor, x);
}

/** A rule at a share of the learning rate. */
export function slowed(rule: UpdateRule, share: number): UpdateRule {
  return {
    ...rule,
    apply: (parameter, gradient, slots, rate, step) =>
      rule.apply(parameter, gradient, slots, tf.mul(rate, share), step),
  };
}

/** A rule that sees the parameter as another shape: Muon takes a filter [height, width, in, out] as a matrix. */
export function reshaped(rule: UpdateRule, shape: readonly number[]): UpdateRule {
  return {
    slots: rule.slots,
    apply(parameter, gradient, slots, rate, step) {
      const inside = (x: tf.Tensor) => tf.reshape(x, [...shape]);
      const outside = (x: tf.Tensor) => tf.reshape(x, parameter.shape);
      const mapSlots = (from: Slots, change: (x: tf.Tensor) => tf.Tensor): Slots =>
        Object.fromEntries(Object.entries(from).map(([name, x]) => [name, change(x)]));
      const updated = rule.apply(inside(parameter), inside(gradient), mapSlots(slots, inside), rate, step);
      return { parameter: outside(updated.parameter), slots: mapSlots(updated.slots, outside) };
    },
  };
}

/** Gradients scaled down together so that their common L2 norm is at most `limit`, and the norm before. */
export function clipByGlobalNorm(
  gradients: readonly tf.Tensor[],
  limit: number,
): { gradients: tf.Tensor[]; norm: tf.Tensor } {
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))));
  const gain = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)));
  return { gradients: gradients.map((gradient) => tf.mul(gradient, gain)), norm };
}

/** Linear warm-up, then a cosine down to `floor` times the peak. @param step - from 0 */
export function cosineSchedule(step: number, total: number, warmup: number, floor = 0.1): number {
  if (step < warmup) return (step + 1) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
