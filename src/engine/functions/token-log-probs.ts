/** @file ln p of given tokens: the cross entropy of a language model, without the log-probabilities of all tokens. */
import { capped, differentiable, logSoftmax } from './ops.js';
import { blocksOf, PRODUCTS_AT_ONCE, type RowBlock, rowsAtOnce, rowsOf } from './tall-matrix.js';
import * as tf from './tfjs.js';

/**
 * ln p(target) for each row, without ever holding the log-probabilities of all rows. A large vocabulary is read in blocks,
 * each for all rows; ln of the sum of exp(logit) is then that of the blocks' own.
 *
 * @param hidden - final hidden states, [rows, dModel]
 * @param unembedding - [vocab, dModel]
 * @param bias - [vocab] or null
 * @param targets - token ids, int32 [rows]
 * @param cap - logits are `capped` by it before the bias is added
 * @param tokensAtOnce - how many tokens make a block
 * @returns [rows], nats
 */
export function tokenLogProbs(
  hidden: tf.Tensor,
  unembedding: tf.Tensor,
  bias: tf.Tensor | null,
  targets: tf.Tensor,
  cap: number | null = null,
  tokensAtOnce?: number,
): tf.Tensor {
  const rows = hidden.shape[0]!;
  const [vocab, dModel] = unembedding.shape as [number, number];
  const blocks = blocksOf(vocab, tokensAtOnce ?? rowsAtOnce(vocab, dModel, rows));
  const parts = blocksOf(rows, partOf(rows, PRODUCTS_AT_ONCE / blocks[0]!.size)).map((part) =>
    ofRows(rowsOf(hidden, part), unembedding, bias, rowsOf(targets, part), cap, blocks),
  );
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}

/** Products of multiples of so many rows are the fastest. */
const TILE = 16;

/** How many of some rows are read at once: about `fitting` at most, and no last part much smaller than the others. */
function partOf(rows: number, fitting: number): number {
  const parts = Math.ceil(rows / Math.max(TILE, fitting));
  return TILE * Math.ceil(rows / parts / TILE);
}

/** ln of the sum of exp(x) over the last axis: what normalizes the likeliest normalizes all. */
const logSum = (x: tf.Tensor) => tf.sub(tf.max(x, -1), tf.max(logSoftmax(x), -1));

/** The same by what normalizes one entry of each row, `[rows]`: two passes over `[rows, size]` less. */
function logSumAt(x: tf.Tensor, entries: tf.Tensor1D): tf.Tensor {
  const [rows, size] = x.shape as [number, number];
  const places = tf.add(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(size, 'int32')), entries);
  const at = (x: tf.Tensor) => tf.gather(tf.reshape(x, [rows * size]), places as tf.Tensor1D);
  return tf.sub(at(x), at(logSoftmax(x)));
}

function ofRows(
  hidden: tf.Tensor,
  unembedding: tf.Tensor,
  bias: tf.Tensor | null,
  targets: tf.Tensor,
  cap: number | null,
  blocks: readonly RowBlock[],
): tf.Tensor {
  // The order in which the tensors come; a bias is the third of four.
  const named = (t: readonly tf.Tensor[]) => ({
    hidden: t[0] as tf.Tensor2D,
    unembedding: t[1] as tf.Tensor2D,
    bias: bias ? t[2] : undefined,
    targets: t.at(-1) as tf.Tensor1D,
  });
  type Named = ReturnType<typeof named>;
  /** Logits of a block, without and with the bias; `[rows, size]`. */
  const logits = ({ hidden, unembedding, bias }: Named, block: RowBlock) => {
    const plain = capped(tf.matMul(hidden, rowsOf(unembedding, block), false, true), cap);
    return { plain, biased: bias ? tf.add(plain, rowsOf(bias, block)) : plain };
  };
  /** The targets' rows of the unembedding, and their logits without and with the bias. */
  const chosen = ({ hidden, unembedding, bias, targets }: Named) => {
    const directions = tf.gather(unembedding, targets);
    // A product of its own, which is exact where those with the whole matrix are in 8 bits.
    const plain = capped(tf.sum(tf.mul(hidden, directions), -1), cap);
    return { directions, plain, biased: bias ? tf.add(plain, tf.gather(bias, targets)) : plain };
  };
  const value = (...tensors: tf.Tensor[]) => {
    const t = named(tensors);
    const all = blocks.map((block) => logits(t, block).biased);
    const ofBlocks = () => tf.stack(all.map(logSum), 1);
    return tf.sub(chosen(t).biased, all.length === 1 ? logSumAt(all[0]!, t.targets) : logSum(ofBlocks()));
  };
  /** What a change of a product changes of its logit, given the logit without bias. */
  const slope = (logit: tf.Tensor) => tf.sub(1, tf.square(tf.mul(logit, 1 / cap!)));
  const tensors = bias ? [hidden, unembedding, bias, targets] : [hidden, unembedding, targets];
  return differentiable(tensors, value, (dy, y, ...saved) => {
    // d ln p(target) / d logits = onehot(target) - p; the one-hot part is a gather one way, a scatter the other.
    const t = named(saved);
    const own = chosen(t);
    const gain = tf.expandDims(dy, -1);
    const normalizer = tf.expandDims(tf.sub(own.biased, y), -1);
    const parts = blocks.map((block) => {
      const { plain, biased } = logits(t, block);
      // Of a block that is all, the value has made it already.
      const logProbs = blocks.length === 1 ? logSoftmax(biased) : tf.sub(biased, normalizer);
      const share = tf.mul(tf.exp(logProbs), tf.neg(gain));
      const below = (cap === null ? share : tf.mul(share, slope(plain))) as tf.Tensor2D;
      return { share, below, rows: rowsOf(t.unembedding, block) };
    });
    const gainBelow = cap === null ? gain : tf.mul(gain, slope(tf.expandDims(own.plain, -1)));
    const mixed = tf.addN(parts.map(({ below, rows }) => tf.matMul(below, rows)));
    const dHidden = tf.add(mixed, tf.mul(own.directions, gainBelow));
    const [vocab] = t.unembedding.shape;
    const hits = tf.unsortedSegmentSum(tf.mul(t.hidden, gainBelow), t.targets, vocab);
    const pulls = parts.map(({ below }) => tf.matMul(below, t.hidden, true, false));
    const dUnembedding = tf.add(tf.concat(pulls, 0), hits);
    if (!t.bias) return [dHidden, dUnembedding];
    const shares = tf.concat(
      parts.map(({ share }) => tf.sum(share, 0)),
      0,
    );
    return [dHidden, dUnembedding, tf.add(shares, tf.unsortedSegmentSum(dy, t.targets, vocab))];
  });
}
