/** @file The loss of a language model in training, with its gradients made in the same pass. */
import { withGradient } from './own-gradient.js';
import * as tf from './tfjs.js';

/** Logits held at a time: small enough to stay near the cache, large enough for the matrix products. */
const LOGITS_AT_ONCE = 2 ** 21;

/**
 * Mean of -ln p(target) over rows, in nats.
 *
 * The softmax is made once, chunk by chunk, and both gradients with it, as in Liger's fused linear cross entropy
 * (Hsu et al., arXiv 2410.10989): neither the logits of all rows are held, nor are they made again backward.
 *
 * @param hidden - final hidden states, [rows, dModel]
 * @param unembedding - [vocab, dModel]
 * @param targets - token ids, int32 [rows]
 */
export function meanCrossEntropy(
  hidden: tf.Tensor2D,
  unembedding: tf.Tensor2D,
  targets: tf.Tensor1D,
): tf.Scalar {
  const forward = (hidden: tf.Tensor2D, unembedding: tf.Tensor2D) => {
    const [rows] = hidden.shape;
    const [vocab, dModel] = unembedding.shape;
    const atOnce = Math.max(16, Math.floor(LOGITS_AT_ONCE / vocab));
    const logProbs: tf.Tensor[] = [];
    const dHiddens: tf.Tensor2D[] = [];
    const dUnembeddings: tf.Tensor[] = [];
    for (let start = 0; start < rows; start += atOnce) {
      const size = Math.min(atOnce, rows - start);
      const part = tf.slice(hidden, [start, 0], [size, dModel]);
      const probs = tf.softmax(tf.matMul(part, unembedding, false, true)); // [size, vocab]
      const firsts = tf.tensor1d(
        Int32Array.from({ length: size }, (_, row) => row * vocab),
        'int32',
      );
      const places = tf.add(tf.slice(targets, [start], [size]), firsts) as tf.Tensor1D;
      const chosen = tf.gather(tf.reshape(probs, [size * vocab]), places);
      logProbs.push(tf.sum(tf.log(tf.maximum(chosen, 1e-30))));
      dHiddens.push(tf.matMul(probs, unembedding));
      dUnembeddings.push(tf.matMul(probs, part, true, false));
    }
    // d(-ln p(target)) / d logits = p - onehot(target); the one-hot part is a gather one way, a scatter the other.
    const dHidden = tf.sub(tf.concat(dHiddens, 0), tf.gather(unembedding, targets));
    const dUnembedding = tf.sub(tf.addN(dUnembeddings), tf.unsortedSegmentSum(hidden, targets, vocab));
    return { value: tf.mul(tf.addN(logProbs), -1 / rows), saved: [dHidden, dUnembedding] };
  };
  const [rows] = hidden.shape;
  return withGradient([hidden, unembedding] as const, forward, (dy, saved) =>
    saved.map((x) => tf.mul(x, tf.mul(dy, 1 / rows))),
  ) as tf.Scalar;
}
