/**
 * @file What a network does to its own picture before anything else, and the range of pictures that this is made for.
 *
 * A scale, a mean and an order of channels at a network's input (Mul, Sub, Gather, Rescaling, Normalization…) bring
 * pictures to what the first layer was trained on. Only few of those are common, so they say what was given.
 */
import type { WeightSource } from '../engine/weights/weights.js';
import type { LayerGraph } from './layers/graph.js';
import type { AffineOp, ConstantOp, Op, SliceOp } from './layers/op.js';
import type { Param } from './layers/params.js';
import { caffe, imagenet, type Preprocessing, range } from './preprocess.js';

/** A node that is y[c] = picture[from] * scale + offset, by channel. */
type Scaling = readonly { readonly from: number; readonly scale: number; readonly offset: number }[];

/**
 * The range of pictures that a network's own scaling is made for.
 *
 * @returns null where it has none, or an unusual one
 */
export function ownRange(graph: LayerGraph, weights: WeightSource, channels: number): Preprocessing | null {
  const scaling = ownScaling(graph, weights, channels);
  if (!scaling) return null;
  let best: { range: Preprocessing; distance: number } | null = null;
  for (const given of givenRanges(channels)) {
    for (const wanted of wantedRanges(channels)) {
      const distance = mismatch(scaling, given, wanted);
      if (distance < (best?.distance ?? FAR)) best = { range: given, distance };
    }
  }
  return best?.range ?? null;
}

/** Share of the wanted range that the ends of what comes out may lie off. */
const FAR = 0.3;
/** A mean that is subtracted is at least such a share of the range. */
const LEAST_MEAN = 0.03;
/** Blue first must fit better by so much. */
const REVERSED = 0.02;

/** What networks with a scaling of their own are shown, the likeliest first. */
const givenRanges = (channels: number): Preprocessing[] =>
  [range(0, 255, channels), range(0, 1, channels), range(-1, 1, channels)].flatMap((given) =>
    channels === 3 ? [given, { ...given, order: 'bgr' as const }] : [given],
  );

/** What first layers are trained on. */
function wantedRanges(channels: number): Preprocessing[] {
  const plain = [
    range(-1, 1, channels),
    range(0, 1, channels),
    range(-0.5, 0.5, channels),
    range(-5, 5, channels),
  ];
  if (channels !== 3) return [...plain, range(0, 255, channels), range(-128, 127, channels)];
  const reversed = (wanted: Preprocessing): Preprocessing => ({
    order: wanted.order === 'rgb' ? 'bgr' : 'rgb',
    scale: [...wanted.scale].reverse(),
    offset: [...wanted.offset].reverse(),
  });
  return [...plain, range(0, 255), imagenet, caffe].flatMap((wanted) => [wanted, reversed(wanted)]);
}

/** How far what comes out of `given` lies from `wanted`, in widths of that; infinite where it cannot be meant. */
function mismatch(scaling: Scaling, given: Preprocessing, wanted: Preprocessing): number {
  const ends = scaling.map(({ from, scale, offset }, c) => {
    const [width, low] = [wanted.scale[c]!, wanted.offset[c]!];
    const seen = { width: given.scale[from]! * scale, low: given.offset[from]! * scale + offset };
    const isMean = offset === 0 || Math.abs(offset) > LEAST_MEAN * Math.abs(seen.width);
    const off = Math.max(Math.abs(seen.low - low), Math.abs(seen.low + seen.width - low - width)) / width;
    const sameColour =
      (given.order === 'bgr' ? scaling.length - 1 - from : from) ===
      (wanted.order === 'bgr' ? scaling.length - 1 - c : c);
    return isMean && sameColour ? off : Number.POSITIVE_INFINITY;
  });
  return Math.max(...ends) + (given.order === 'bgr' ? REVERSED : 0);
}

/** What the first operations that are more than a scaling read; null where that is the picture itself. */
function ownScaling(graph: LayerGraph, weights: WeightSource, channels: number): Scaling | null {
  const identity = Array.from({ length: channels }, (_, from) => ({ from, scale: 1, offset: 0 }));
  const scalings = new Map<number, Scaling>([[0, identity]]);
  let last: Scaling | null = null;
  graph.nodes.forEach(({ op, inputs }, node) => {
    const read = inputs.map((input) => scalings.get(input));
    if (node === 0 || !read.some(Boolean)) return;
    const constants = inputs.map((input) => constantOf(graph.nodes[input]!.op, weights));
    const scaling = scaled(op, read, constants, weights);
    if (scaling?.length === channels || (scaling && op.kind === 'slice')) scalings.set(node, scaling);
    else last = read.find((each) => each?.length === channels && each !== identity) ?? last;
  });
  return last;
}

function constantOf(op: Op, weights: WeightSource): ArrayLike<number> | null {
  if (op.kind !== 'constant') return null;
  return numbersOf(op, weights);
}

/** A few numbers, or one a channel: in any layout they lie in the same order. */
function numbersOf({ value }: ConstantOp, weights: WeightSource): ArrayLike<number> | null {
  return 'name' in value
    ? vector(value, weights)
    : value.shape.filter((dim) => dim > 1).length > 1
      ? null
      : value.data;
}

const vector = (param: Param, weights: WeightSource): ArrayLike<number> | null =>
  param.shape.filter((dim) => dim > 1).length > 1 ? null : weights.read(param.name);

/** The operation's result as a scaling of the picture; null where it is something else. */
function scaled(
  op: Op,
  read: readonly (Scaling | undefined)[],
  constants: readonly (ArrayLike<number> | null)[],
  weights: WeightSource,
): Scaling | null {
  const [x] = read;
  const of = (x: Scaling, factor: (c: number) => number, term: (c: number) => number): Scaling =>
    x.map(({ from, scale, offset }, c) => ({
      from,
      scale: scale * factor(c),
      offset: offset * factor(c) + term(c),
    }));
  switch (op.kind) {
    case 'activation':
      return x && op.name === 'linear'
        ? of(
            x,
            () => op.a ?? 1,
            () => op.b ?? 0,
          )
        : null;
    case 'affine':
      return x ? ofAffine(op, x, of, weights) : null;
    case 'slice':
      return x && isChannels(op) ? x.slice(op.begin, op.end) : null;
    case 'gather':
      return x && op.axis === 3 ? op.indices.flatMap((i) => x[i] ?? []) : null;
    case 'concat':
      return op.axis === 3 && read.every(Boolean) ? read.flatMap((each) => each ?? []) : null;
    case 'resize':
      return x ?? null;
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'divide': {
      const [first, second] = constants;
      const picture = x ?? read[1];
      const values = x ? second : first;
      if (!picture || !values || (values.length !== 1 && values.length !== picture.length)) return null;
      const at = (c: number): number => values[values.length === 1 ? 0 : c]!;
      if (op.kind === 'multiply') return of(picture, at, () => 0);
      if (op.kind === 'add') return of(picture, () => 1, at);
      if (op.kind === 'subtract')
        return x
          ? of(
              picture,
              () => 1,
              (c) => -at(c),
            )
          : of(picture, () => -1, at);
      return x
        ? of(
            picture,
            (c) => 1 / at(c),
            () => 0,
          )
        : null;
    }
    default:
      return null;
  }
}

const isChannels = ({ axis, step, begin, end }: SliceOp): boolean =>
  axis === 3 && step === 1 && begin >= 0 && end > begin;

function ofAffine(
  op: AffineOp,
  x: Scaling,
  of: (x: Scaling, factor: (c: number) => number, term: (c: number) => number) => Scaling,
  weights: WeightSource,
): Scaling | null {
  const read = (param: Param | undefined, fallback: number): ((c: number) => number) => {
    const values = param && vector(param, weights);
    return (c) => values?.[c] ?? fallback;
  };
  const [mean, variance] = [read(op.mean, 0), read(op.variance, 1)];
  const [scale, shift] = [read(op.scale, 1), read(op.shift, 0)];
  const deviation = (c: number): number => (op.variance ? Math.sqrt(variance(c) + (op.epsilon ?? 0)) : 1);
  const factor = (c: number): number => scale(c) / deviation(c);
  return of(x, factor, (c) => shift(c) - mean(c) * factor(c));
}
