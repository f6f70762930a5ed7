/** @file From expressions to numbers: one function of a batch of pictures, each with an expression of its own. */

import { UsageError, UserError } from '../../core/errors.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { unionChannels } from '../layers/channels.js';
import type { LayerInfo, VisionNetwork, Wanted } from '../network.js';
import { type Expression, formatExpression, type Term, termsOf } from './expression.js';
import { diversity, penalties } from './penalties.js';

/** Expressions whose layers, channels and files are there. */
export interface Objective {
  readonly network: VisionNetwork;
  /** One for each picture of a batch. */
  readonly rows: readonly Expression[];
  /** Each different term once. */
  readonly terms: readonly ReadyTerm[];
  /** Vectors of `direction` terms, by the term's text. */
  readonly directions: ReadonlyMap<string, Float32Array>;
}

export interface ReadyTerm {
  readonly key: string;
  readonly term: Term;
  /** The layer that the term reads; null for a property of the picture. */
  readonly layer: LayerInfo | null;
}

export interface ObjectiveValues {
  /** What is maximized, [batch]. */
  readonly total: tf.Tensor1D;
  /** The same without penalties and diversity: what the units do, [batch]. */
  readonly activation: tf.Tensor1D;
}

/**
 * Looks up everything that the expressions name.
 *
 * @throws UsageError for an unknown layer (with the nearest names), channel or class, UserError for a file that lacks
 * the direction
 */
export function resolveObjective(network: VisionNetwork, rows: readonly Expression[]): Objective {
  const terms = new Map<string, ReadyTerm>();
  const directions = new Map<string, Float32Array>();
  for (const row of rows) {
    const named = termsOf(row);
    if (!named.some((term) => term.kind !== 'penalty' && term.kind !== 'diversity')) {
      throw new UsageError(
        `the objective "${formatExpression(row)}" names no unit: a layer:channel is wanted`,
      );
    }
    for (const term of named) {
      const key = formatExpression(term);
      const same = terms.get(key)?.term;
      if (same && codeOf(same) !== codeOf(term))
        throw new UsageError(`two objectives are called "${key}": give each function a name of its own`);
      if (same) continue;
      const layer = layerOf(network, term);
      terms.set(key, { key, term, layer });
      if (term.kind === 'direction') directions.set(key, readDirection(term, layer!));
    }
  }
  return { network, rows, terms: [...terms.values()], directions };
}

const codeOf = (term: Term) => (term.kind === 'function' ? term.of : null);

function layerOf(network: VisionNetwork, term: Term): LayerInfo | null {
  if (term.kind === 'penalty') return null;
  if (term.kind === 'logit') {
    checkChannel(network, network.classLayer, term.index);
    return network.classLayer;
  }
  if (term.kind !== 'unit' && term.kind !== 'neuron') return network.layer(term.layer);
  const layer = network.layer(term.unit.layer);
  checkChannel(network, layer, term.unit.channel);
  return layer;
}

function checkChannel(network: VisionNetwork, layer: LayerInfo, channel: number): void {
  if (channel < layer.channels) return;
  const range = layer.channels === 1 ? 'only channel 0' : `channels 0 to ${layer.channels - 1}`;
  throw new UsageError(`layer "${layer.name}" of ${network.name} has ${range}, not ${channel}`);
}

function readDirection({ file, name }: Extract<Term, { kind: 'direction' }>, layer: LayerInfo): Float32Array {
  const source = openSafetensors(file);
  if (!source.names.includes(name)) {
    throw new UserError(`${file} holds no array "${name}"; it has ${source.names.slice(0, 8).join(', ')}`);
  }
  const vector = source.read(name);
  if (vector.length === layer.channels) return vector;
  throw new UserError(
    `the direction ${file}#${name} has ${vector.length} numbers, layer "${layer.name}" has ${layer.channels} channels`,
  );
}

/** The layers to compute, each once, with the channels that the terms read. */
export function wantedLayers(terms: readonly ReadyTerm[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { term, layer } of terms) {
    if (!layer) continue;
    const channels =
      term.kind === 'unit' || term.kind === 'neuron'
        ? [term.unit.channel]
        : term.kind === 'logit'
          ? [term.index]
          : undefined;
    const key = layerKey(term, layer);
    const before = wanted.get(key);
    const union = before ? unionChannels(before.channels, channels) : channels;
    wanted.set(key, {
      layer: layer.name,
      ...(union && { channels: union }),
      ...(term.kind === 'logit' && { beforeSoftmax: true }),
      ...(readsClassToken(term) && { classToken: true }),
    });
  }
  return wanted;
}

const readsClassToken = (term: Term): boolean => term.kind === 'unit' && term.unit.position === 'cls';

function layerKey(term: Term, layer: LayerInfo): string {
  if (term.kind === 'logit') return 'logits';
  return `${readsClassToken(term) ? 'class token' : 'layer'} ${layer.name}`;
}

/**
 * The objective's values as a function of tensors, to be differentiated and compiled.
 *
 * @param pictures - [batch, height, width, channel] in [0, 1]: what penalties look at
 * @param views - [batch, height, width, channel], preprocessed: what the network looks at
 */
export function evaluateObjective(
  { network, rows, terms, directions }: Objective,
  weights: WeightLookup,
  pictures: tf.Tensor4D,
  views: tf.Tensor4D,
): ObjectiveValues {
  const wanted = wantedLayers(terms);
  const outputs = network.forward(weights, views, [...wanted.values()]);
  const computed = new Map([...wanted.keys()].map((key, i) => [key, outputs[i]!]));
  const values = new Map(
    terms.map(({ key, term, layer }) => {
      if (term.kind === 'penalty') return [key, penalties[term.name](pictures)];
      const layerOutput = layerKey(term, layer!);
      const activations = computed.get(layerOutput)!;
      const { channels } = wanted.get(layerOutput)!;
      return [key, termValue(term, activations, channels, directions.get(key))];
    }),
  );
  const rowOf = (term: Term, row: number): tf.Tensor1D =>
    tf.slice(values.get(formatExpression(term))!, [row], [1]) as tf.Tensor1D;
  const total = rows.map((row, i) => evaluateExpression(row, (term) => rowOf(term, i)));
  const activation = rows.map((row, i) =>
    evaluateExpression(row, (term) =>
      term.kind === 'penalty' || term.kind === 'diversity' ? tf.zeros([1]) : rowOf(term, i),
    ),
  );
  return { total: tf.concat1d(total), activation: tf.concat1d(activation) };
}

function evaluateExpression(expression: Expression, term: (term: Term) => tf.Tensor1D): tf.Tensor1D {
  switch (expression.kind) {
    case 'number':
      return tf.tensor1d([expression.value]);
    case 'negative':
      return tf.neg(evaluateExpression(expression.of, term));
    case 'add':
    case 'subtract':
    case 'multiply': {
      const left = evaluateExpression(expression.left, term);
      const right = evaluateExpression(expression.right, term);
      return { add: tf.add, subtract: tf.sub, multiply: tf.mul }[expression.kind](left, right) as tf.Tensor1D;
    }
    default:
      return term(expression);
  }
}

/**
 * A term's value for each picture, [batch].
 *
 * @param activations - [batch, height, width, channel] or [batch, channel], the channel axis holding `channels`
 */
function termValue(
  term: Exclude<Term, { kind: 'penalty' }>,
  activations: tf.Tensor,
  channels: readonly number[] | undefined,
  direction: Float32Array | undefined,
): tf.Tensor1D {
  const batch = activations.shape[0]!;
  const flat = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [batch, -1]);
  switch (term.kind) {
    case 'deepdream':
      return tf.mean(flat(tf.square(activations)), 1);
    case 'diversity':
      return diversity(activations);
    case 'function':
      return tf.concat1d(Array.from({ length: batch }, (_, row) => valueOfFunction(term, activations, row)));
    case 'direction': {
      const products = tf.mul(activations, tf.tensor1d(direction!));
      return tf.mean(flat(tf.sum(products, -1)), 1);
    }
    case 'logit':
      return tf.mean(flat(channelOf(activations, term.index, channels)), 1);
    case 'neuron':
    case 'unit': {
      const { unit } = term;
      const map = channelOf(activations, unit.channel, channels);
      const [, height = 1, width = 1] = map.shape;
      const position =
        term.kind === 'unit' ? unit.position : { row: Math.floor(height / 2), column: Math.floor(width / 2) };
      // Of the class token that is its only value.
      if (position === null || position === 'cls') return tf.mean(flat(map), 1);
      checkPosition(unit.layer, position, map.shape);
      return tf.reshape(tf.slice(map, [0, position.row, position.column, 0], [batch, 1, 1, 1]), [batch]);
    }
  }
}

/** Throws UsageError for a position outside of a layer's map, [batch, height, width, channel] or another shape. */
export function checkPosition(
  layer: string,
  { row, column }: { readonly row: number; readonly column: number },
  shape: readonly number[],
): void {
  const [, height = 1, width = 1] = shape;
  if (shape.length !== 4) throw new UsageError(`layer "${layer}" has no positions: leave the @ out`);
  if (row < height && column < width) return;
  throw new UsageError(
    `the map of layer "${layer}" is ${height} x ${width} here: @${row},${column} is outside of it`,
  );
}

/** What a function makes of one picture of a batch, [1]. */
function valueOfFunction(
  { layer, name, of }: Extract<Term, { kind: 'function' }>,
  activations: tf.Tensor,
  row: number,
): tf.Tensor1D {
  const shape = activations.shape.slice(1);
  const start = [row, ...shape.map(() => 0)];
  const value = of(tf.reshape(tf.slice(activations, start, [1, ...shape]), shape));
  if (tf.isTensor(value) && value.size === 1) return tf.reshape(value, [1]);
  const given = tf.isTensor(value) ? `a tensor of shape [${value.shape.join(', ')}]` : `${value}`;
  throw new UsageError(
    `the objective "${name}(${layer})" made ${given}: one number is wanted, such as tf.mean(activations)`,
  );
}

/** One channel, the axis kept. */
function channelOf(
  activations: tf.Tensor,
  channel: number,
  channels: readonly number[] | undefined,
): tf.Tensor {
  const leading = activations.shape.slice(0, -1);
  const at = channels ? channels.indexOf(channel) : channel;
  return tf.slice(activations, [...leading.map(() => 0), at], [...leading, 1]);
}
