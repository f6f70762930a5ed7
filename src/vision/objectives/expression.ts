/** @file What a picture should excite, as an expression of units, penalties and numbers; and its text. */

import type * as tf from '../../engine/functions/tfjs.js';
import { type ChannelUnit, formatChannel } from '../channel-unit.js';
import { formatLayer } from '../layer-name.js';

/** One number made of what a layer does for one picture: `[height, width, channel]` or `[channel]`. Differentiable. */
export type LayerFunction = (activations: tf.Tensor) => tf.Tensor;

/** One thing a network computes, or one property of the picture. */
export type Term =
  /** Mean over the channel's map, or its value at one position. */
  | { readonly kind: 'unit'; readonly unit: ChannelUnit }
  /** A channel at the middle of its map: `neuron(mixed3:1)`. */
  | { readonly kind: 'neuron'; readonly unit: ChannelUnit }
  /** Mean square of everything a layer does: `deepdream(mixed3)`. */
  | { readonly kind: 'deepdream'; readonly layer: string }
  /** Mean over positions of the dot product with a vector: `direction(mixed3, file.safetensors#name)`. */
  | { readonly kind: 'direction'; readonly layer: string; readonly file: string; readonly name: string }
  /** A class score before the softmax: `logit:207`. */
  | { readonly kind: 'logit'; readonly index: number }
  /** How much pictures of one batch look alike to a layer, 0 to 1: `diversity(mixed3)`. */
  | { readonly kind: 'diversity'; readonly layer: string }
  /** What code makes of a layer; it has a name, but no text that it could be read from (`layerObjective`). */
  | {
      readonly kind: 'function';
      readonly layer: string;
      readonly name: string;
      readonly of: LayerFunction;
    }
  /** Penalty of the picture: `tv`, `l1`, `l2`. */
  | { readonly kind: 'penalty'; readonly name: PenaltyName };

export const penaltyNames = ['tv', 'l1', 'l2'] as const;
export type PenaltyName = (typeof penaltyNames)[number];

export type Expression =
  | Term
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'negative'; readonly of: Expression }
  | {
      readonly kind: 'add' | 'subtract' | 'multiply';
      readonly left: Expression;
      readonly right: Expression;
    };

/**
 * An objective written as a function of a layer's activations, for what expressions cannot say:
 *
 * ```ts
 * layerObjective('block3_conv2', (activations) => tf.mean(tf.square(activations)))
 * ```
 *
 * @param of - is called once for each picture; TensorFlow.js operations only, as it is compiled
 * @param name - what the picture is called; functions that are used together need names of their own
 */
export const layerObjective = (
  layer: string,
  of: LayerFunction,
  name = of.name || 'function',
): Expression => ({
  kind: 'function',
  layer,
  name,
  of,
});

/** The channel as an expression has it, its layer in quotes where it needs them. */
function quotedChannel(unit: ChannelUnit): string {
  return formatLayer(unit.layer) + formatChannel(unit).slice(unit.layer.length);
}

function formatTerm(term: Term): string {
  switch (term.kind) {
    case 'unit':
      return quotedChannel(term.unit);
    case 'neuron':
      return `neuron(${quotedChannel(term.unit)})`;
    case 'deepdream':
      return `deepdream(${formatLayer(term.layer)})`;
    case 'diversity':
      return `diversity(${formatLayer(term.layer)})`;
    case 'direction':
      return `direction(${formatLayer(term.layer)}, ${term.file}#${term.name})`;
    case 'function':
      return `${term.name}(${formatLayer(term.layer)})`;
    case 'logit':
      return `logit:${term.index}`;
    case 'penalty':
      return term.name;
  }
}

/** The text of an expression; `parseExpression` gives the same expression back. */
export function formatExpression(expression: Expression): string {
  const inParentheses = (part: Expression, when: (kind: Expression['kind']) => boolean): string =>
    when(part.kind) ? `(${formatExpression(part)})` : formatExpression(part);
  const isSum = (kind: Expression['kind']): boolean => kind === 'add' || kind === 'subtract';
  const isProduct = (kind: Expression['kind']): boolean => kind === 'multiply';
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'negative':
      return `-${inParentheses(expression.of, (kind) => isSum(kind) || isProduct(kind))}`;
    case 'add':
    case 'subtract': {
      const sign = expression.kind === 'add' ? '+' : '-';
      return `${formatExpression(expression.left)} ${sign} ${inParentheses(expression.right, isSum)}`;
    }
    case 'multiply': {
      const left = inParentheses(expression.left, isSum);
      return `${left}*${inParentheses(expression.right, (kind) => isSum(kind) || isProduct(kind))}`;
    }
    default:
      return formatTerm(expression);
  }
}

/** Every term of an expression, in order of appearance. */
export function termsOf(expression: Expression): Term[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'negative':
      return termsOf(expression.of);
    case 'add':
    case 'subtract':
    case 'multiply':
      return [...termsOf(expression.left), ...termsOf(expression.right)];
    default:
      return [expression];
  }
}
