/**
 * @file A layer's MLP where it is one of experts: a router chooses a few of many for each token, and what those write is
 * summed by weight.
 *
 * Axes: rows = batch * pos, expert, neuron (of an expert), dModel.
 */
import { once } from '../../core/once.js';
import { differentiable } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import { activationFunctions } from './mlp.js';
import { layerModule } from './parameters.js';
import type { LayerPlace } from './places.js';
import type { Lazy, Reading } from './reading.js';
import type { ExpertsSpec } from './spec.js';

interface Router {
  /** The logit of every expert, `[rows, expert]`. */
  readonly logits: Lazy<tf.Tensor>;
  /** By what the output of each chosen expert is multiplied, strongest first, `[rows, chosen]`. */
  readonly chosenWeights: Lazy<tf.Tensor>;
  /** The chosen experts, in the same order, `[rows, chosen]` int32. */
  readonly chosen: Lazy<tf.Tensor>;
  /** 1 where an expert is chosen, else 0; no gradient passes. `[rows, expert]` */
  readonly isChosen: Lazy<tf.Tensor>;
  /** The same weights by expert, 0 where one is not chosen, `[rows, expert]`. */
  readonly weights: Lazy<tf.Tensor>;
}

export interface ExpertsMlp {
  readonly places: Partial<Record<LayerPlace, Lazy<tf.Tensor>>>;
  /** What the down projection of one expert reads, 0 where it is not chosen: `[batch, pos, neuron]`. */
  readonly post: (expert: number) => tf.Tensor;
  /** `[rows, dModel]` */
  readonly output: Lazy<tf.Tensor>;
}

/** @param x - what it reads, `[rows, dModel]` */
export function expertsMlp(
  reading: Reading,
  experts: ExpertsSpec,
  layer: number,
  x: Lazy<tf.Tensor>,
): ExpertsMlp {
  const { spec, batch, pos } = reading;
  const rows = batch * pos;
  const router = route(reading, experts, layer, x);
  const array = (name: string) => reading.weights(`${layerModule(spec, layer, experts.module)}.${name}`);
  const bias = (name: string) => (experts.biases ? array(`${name}_bias`) : null);
  const all: SomeExperts = { count: experts.count, pick: (x) => x };
  const computed = (part: SomeExperts) => {
    const side = (name: string) => projected(experts, part, x(), array(name), bias(name));
    return gated(reading, experts, side('gate_proj'), side('up_proj'));
  };
  const edits = expertEdits(reading, experts, layer);

  return {
    places: {
      'mlp.router.0': router.logits,
      'mlp.router.1': router.chosenWeights,
      'mlp.router.2': router.chosen,
      'mlp.hook_shares': once(() => tf.reshape(router.weights(), [batch, pos, experts.count])),
    },
    post: (expert) => {
      const part: SomeExperts = { count: 1, pick: (x) => tf.slice(x, expert, 1) };
      const is = tf.slice(router.isChosen(), [0, expert], [rows, 1]);
      return tf.reshape(tf.mul(tf.reshape(computed(part), [rows, experts.neurons]), is), [
        batch,
        pos,
        experts.neurons,
      ]);
    },
    output: once(() =>
      fewChosen(experts, rows) && !edits.some
        ? chosenOutput(reading, experts, router, x(), array, bias)
        : weightedOutput(computed(all)),
    ),
  };

  function weightedOutput(post: tf.Tensor): tf.Tensor {
    const shares = edits.shares(router.weights());
    const weighted = edits.weighted(tf.mul(post, tf.expandDims(shares, 2)));
    const flat = [experts.count * experts.neurons, spec.dModel];
    const written = tf.matMul(tf.reshape(weighted, [rows, flat[0]!]), tf.reshape(array('down_proj'), flat));
    const added = bias('down_proj');
    return added ? tf.add(written, tf.matMul(shares as tf.Tensor2D, added as tf.Tensor2D)) : written;
  }
}

/** Changes to the weights of experts, `[rows, expert]`, and to their neurons times these, `[rows, expert, neuron]`. */
function expertEdits({ edits, batch, pos }: Reading, { count, neurons }: ExpertsSpec, layer: number) {
  const module = `blocks.${layer}.mlp`;
  const ofShares = edits[`${module}.hook_shares`];
  const ofNeurons = Array.from({ length: count }, (_, e) => edits[`${module}.experts.${e}.hook_weighted`]);
  const isEdited = ofNeurons.some(Boolean);
  return {
    some: isEdited || ofShares !== undefined,
    shares: (x: tf.Tensor) =>
      ofShares ? tf.reshape(ofShares(tf.reshape(x, [batch, pos, count])), x.shape) : x,
    weighted(x: tf.Tensor): tf.Tensor {
      if (!isEdited) return x;
      const each = tf.split(tf.reshape(x, [batch, pos, count * neurons]), count, 2);
      return tf.reshape(
        tf.concat(
          each.map((own, e) => ofNeurons[e]?.(own) ?? own),
          2,
        ),
        x.shape,
      );
    },
  };
}

/** Some experts: how many, and their part of an array whose first axis is the expert. */
interface SomeExperts {
  readonly count: number;
  readonly pick: (x: tf.Tensor) => tf.Tensor;
}

/** One side of the gate: `[rows, dModel]` to `[rows, expert, neuron]`. */
function projected(
  { neurons }: ExpertsSpec,
  { count, pick }: SomeExperts,
  x: tf.Tensor,
  matrix: tf.Tensor,
  bias: tf.Tensor | null,
): tf.Tensor {
  const [rows, dModel] = x.shape as [number, number];
  const flat = tf.reshape(pick(matrix), [count * neurons, dModel]) as tf.Tensor2D;
  const y = tf.reshape(tf.matMul(x as tf.Tensor2D, flat, false, true), [rows, count, neurons]);
  return bias ? tf.add(y, pick(bias)) : y;
}

/** What the down projection reads, given both sides of the gate. */
function gated({ spec }: Reading, { clamped }: ExpertsSpec, gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  if (!clamped) return tf.mul(activationFunctions[spec.activation](gate), up);
  const { limit, slope } = clamped;
  const low = tf.minimum(gate, limit);
  const active = tf.mul(low, tf.sigmoid(tf.mul(low, slope)));
  return tf.mul(active, tf.add(tf.clipByValue(up, -limit, limit), 1));
}

/** Whether so few experts are needed that reading theirs alone is quicker than one product with all. */
const fewChosen = ({ count, chosen }: ExpertsSpec, rows: number) => 2 * rows * chosen <= count;

/** What the chosen experts write, their matrices alone read: `[rows, dModel]`. */
function chosenOutput(
  reading: Reading,
  experts: ExpertsSpec,
  router: Router,
  x: tf.Tensor,
  array: (name: string) => tf.Tensor,
  bias: (name: string) => tf.Tensor | null,
): tf.Tensor {
  const { chosen, neurons } = experts;
  const [rows, dModel] = x.shape as [number, number];
  const ids = tf.reshape(router.chosen(), [rows * chosen]) as tf.Tensor1D;
  const own = (x: tf.Tensor) => tf.gather(x, ids);
  const each = tf.reshape(tf.tile(tf.reshape(x, [rows, 1, dModel]), [1, chosen, 1]), [
    rows * chosen,
    1,
    dModel,
  ]);
  const side = (name: string) => {
    const y = tf.matMul(each, own(array(name)), false, true); // [rows * chosen, 1, neuron]
    const added = bias(name);
    return added ? tf.add(y, tf.reshape(own(added), [rows * chosen, 1, neurons])) : y;
  };
  const post = gated(reading, experts, side('gate_proj'), side('up_proj'));
  const y = tf.matMul(post, own(array('down_proj'))); // [rows * chosen, 1, dModel]
  const added = bias('down_proj');
  const written = added ? tf.add(y, tf.reshape(own(added), [rows * chosen, 1, dModel])) : y;
  const weighted = tf.mul(
    tf.reshape(written, [rows, chosen, dModel]),
    tf.expandDims(router.chosenWeights(), 2),
  );
  return tf.sum(weighted, 1);
}

function route(reading: Reading, experts: ExpertsSpec, layer: number, x: Lazy<tf.Tensor>): Router {
  const { spec, weights } = reading;
  const { count, chosen: k } = experts;
  const module = layerModule(spec, layer, experts.router);
  const logits = once(() => {
    const y = tf.matMul(x() as tf.Tensor2D, weights(`${module}.weight`) as tf.Tensor2D, false, true);
    return experts.biases ? tf.add(y, weights(`${module}.bias`)) : y;
  });
  const shares = once(() => tf.softmax(logits()));
  const chosen = once(() => strongest(logits(), k));
  const byPlace = once(() => tf.oneHot(chosen() as tf.Tensor2D, count, 1, 0, 'float32')); // [rows, chosen, expert]
  const isChosen = once(() => tf.sum(byPlace(), 1));
  const byExpert = once(() => {
    const own = tf.mul(shares(), isChosen());
    return experts.sumToOne ? tf.div(own, tf.sum(own, 1, true)) : own;
  });
  return {
    logits,
    chosen,
    isChosen,
    weights: byExpert,
    chosenWeights: once(() => tf.sum(tf.mul(byPlace(), tf.expandDims(byExpert(), 1)), 2)),
  };
}

/** Which entries of the last axis are largest; no gradient passes. `[rows, n]` to `[rows, k]` int32. */
function strongest(x: tf.Tensor, k: number): tf.Tensor {
  return differentiable(
    [x],
    (x) => tf.topk(x, k).indices,
    (_dy, _y, x) => [tf.zerosLike(x)],
  );
}
