/**
 * @file Whether a network is shown pictures in the range it was trained on: the commonest mistake, and a silent one.
 *
 * Pictures with the statistics of photographs are shown. A batch norm remembers the mean and variance of what it saw in
 * training, so the first one distinguishes even [0, 1] from [-1, 1]. Without one, the spread of the class scores shows a
 * range that is wrong by tens of times.
 */

import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import { onceEach } from '../core/once.js';
import { Random } from '../core/random.js';
import { type CompileOptions, compile } from '../engine/compile.js';
import * as tf from '../engine/functions/tfjs.js';
import { ancestors, evaluate, graphShapes } from './layers/evaluate.js';
import type { AffineOp } from './layers/op.js';
import type { InputKind, RangeName } from './names.js';
import { naturalPictures } from './natural.js';
import type { InputSpec, LayerInfo, VisionNetwork } from './network.js';
import { usualInput } from './planes.js';
import { caffe, imagenet, type Preprocessing, preprocess, range } from './preprocess.js';

/** Ranges by the names that the command line takes. */
export const namedRanges: Readonly<Record<RangeName, (channels: number) => Preprocessing>> = {
  imagenet: () => imagenet,
  '-1..1': (channels) => range(-1, 1, channels),
  '0..1': (channels) => range(0, 1, channels),
  '0..255': (channels) => range(0, 255, channels),
  caffe: () => caffe,
};

const descriptions: Readonly<Record<RangeName, string>> = {
  imagenet: "ImageNet's mean and deviation",
  '-1..1': '-1 to 1',
  '0..1': '0 to 1',
  '0..255': '0 to 255',
  caffe: '0 to 255, blue first, less the mean (Caffe)',
};

/** What networks are commonly trained on, the likeliest first. */
function common(
  { channels, usualRange = 'imagenet' }: InputSpec,
  input: InputKind = usualInput(channels),
): readonly (readonly [string, Preprocessing])[] {
  const isColour = channels === 3 && input !== 'planes';
  const ranges = (Object.keys(descriptions) as RangeName[]).filter(
    (name) => isColour || (name !== 'imagenet' && name !== 'caffe'),
  );
  const order = ranges.sort((a, b) => Number(b === usualRange) - Number(a === usualRange));
  return order.map((name) => [descriptions[name], namedRanges[name](channels)] as const);
}

export interface InputFit {
  /** What to show the network: its own preprocessing, or where it has none the likeliest. */
  readonly preprocessing: Preprocessing;
  /** A sentence for the user when that does not fit, or is a guess. */
  readonly warning: string | null;
}

type CompileChoice = Pick<CompileOptions, 'engine' | 'threads'>;

export type FitOptions = CompileChoice & {
  /** False: only by the first batch norm, which is quick; the class scores need every weight of the network. */
  readonly byScores?: boolean;
  /** What the planes are; default: `usualInput`. */
  readonly input?: InputKind;
};

/** What was found of networks, by what was asked: their weights do not change. */
const fitsOf = onceEach((_: VisionNetwork) => new Map<string, InputFit>(), new WeakMap());

/**
 * Checks the preprocessing of a network (its own, or `given` by the user) against what it remembers, and finds the
 * likeliest where there is none. Deterministic; takes a forward pass or a few, the first time that a network is asked for.
 */
export async function fitInput(
  network: VisionNetwork,
  given: Preprocessing | null = network.input.preprocessing,
  options: FitOptions = {},
): Promise<InputFit> {
  const fits = fitsOf(network);
  const asked = JSON.stringify([given, options]);
  const fit = fits.get(asked) ?? (await judgedFit(network, given, options));
  fits.set(asked, fit);
  return fit;
}

async function judgedFit(
  network: VisionNetwork,
  given: Preprocessing | null,
  { byScores = true, input, ...options }: FitOptions,
): Promise<InputFit> {
  const candidates = common(network.input, input);
  const ranges = [...(given ? [given] : []), ...candidates.map(([, preprocessing]) => preprocessing)];
  const judged =
    (await judgeByNorm(network, ranges, options)) ??
    (byScores ? await judgeByScores(network, ranges, options) : null);
  const assumed = (range: string, why: string): string =>
    `${network.name} does not say which range its pictures have: assuming ${range}${why}; set ${field('range')} if that is wrong`;
  if (!judged) {
    const isGuess = given !== null && given === network.input.preprocessing && network.input.isGuess;
    const known = candidates.find(([, range]) => isDeepStrictEqual(range, given))?.[0] ?? 'its own';
    const guess = assumed(known, ', as networks with layers of these names have');
    if (given) return { preprocessing: given, warning: isGuess ? guess : null };
    return { preprocessing: candidates[0]![1], warning: assumed(candidates[0]![0], '') };
  }
  const [own, rest] = given ? [judged[0]!, judged.slice(1)] : [null, judged];
  const best = rest.indexOf(rest.reduce((a, b) => (b.badness < a.badness ? b : a)));
  const [bestName, bestRange] = candidates[best]!;
  if (given && own) {
    const warning = `${network.name} seems to be shown pictures in the wrong range (${own.finding}); ${bestName} would fit better: see ${field('range')}`;
    return { preprocessing: given, warning: own.fits || own.badness <= rest[best]!.badness ? null : warning };
  }
  const certainty = rest[best]!.fits ? 'which fits' : `though nothing fits well (${rest[best]!.finding})`;
  return {
    preprocessing: bestRange,
    warning: assumed(bestName, `, ${certainty}`),
  };
}

interface Judgement {
  readonly fits: boolean;
  /** The larger, the worse. */
  readonly badness: number;
  readonly finding: string;
}

const pictureCount = 8;
const pictureSide = 96;

function pictures(count: number, height: number, width: number, channels: number): Float32Array {
  return naturalPictures(Random.of(0, 'input fit'), count, height, width, channels);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Whether pictures of that height and width can be brought to a node: what is behind dense layers wants one size. */
function canReach({ graph, input }: VisionNetwork, node: number, size: readonly [number, number]): boolean {
  const needed = ancestors(graph, [{ node }]);
  try {
    graphShapes(graph, [1, ...size, input.channels], (each) => needed.has(each));
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** By the first batch norm; null where there is none. */
async function judgeByNorm(
  network: VisionNetwork,
  ranges: readonly Preprocessing[],
  options: CompileChoice,
): Promise<Judgement[] | null> {
  const found = network.graph.nodes.find(({ op }) => op.kind === 'affine' && op.mean && op.variance);
  if (!found) return null;
  const { mean, variance, epsilon = 0 } = found.op as AffineOp;
  const before = found.inputs[0]!;
  const { height, width, channels } = network.input;
  const sizes = [[pictureSide, pictureSide] as const, [height, width] as const];
  const size = sizes.find((size) => canReach(network, before, size));
  if (!size) return null;
  const shape = [pictureCount, ...size, channels] as const;
  const step = await compile(
    ({ x }, weights) => {
      const results = ranges.flatMap((range, i): [string, tf.Tensor][] => {
        const picture = preprocess(x as tf.Tensor4D, range);
        const [seen] = evaluate(network.graph, weights, picture, [{ node: before }]);
        const axes = seen!.shape.map((_, axis) => axis).slice(0, -1);
        const centre = tf.mean(seen!, axes);
        return [
          [`mean ${i}`, centre],
          [`variance ${i}`, tf.mean(tf.square(tf.sub(seen!, centre)), axes)],
        ];
      });
      return Object.fromEntries(results);
    },
    { inputs: { x: { shape } }, weights: network.weights, ...options },
  );
  const seen = await step.run({ x: pictures(...shape) });
  step.dispose();

  const means = network.weights.read(mean!.name);
  const variances = network.weights.read(variance!.name);
  // Channels that were silent in training remember nothing.
  const alive = [...variances.keys()].filter((c) => variances[c]! > 10 * epsilon);
  return ranges.map((_, i) => {
    const contrast = median(alive.map((c) => Math.sqrt(seen[`variance ${i}`]![c]! / variances[c]!)));
    const shift = median(
      alive.map((c) => Math.abs(seen[`mean ${i}`]![c]! - means[c]!) / Math.sqrt(variances[c]!)),
    );
    return {
      fits: contrast > 0.6 && contrast < 1.7 && shift < 1,
      badness: Math.abs(Math.log(contrast)) + shift,
      finding: `its first batch norm sees ${contrast.toPrecision(2)} times the contrast of its training`,
    };
  });
}

/** Classes of ImageNet, with a background and without. */
const imagenetClasses = [1000, 1001];

/** The layer with class scores; null where the output may be something else, as boxes, an embedding, landmarks. */
function scoresLayer(network: VisionNetwork): LayerInfo | null {
  let layer: LayerInfo;
  try {
    layer = network.classLayer;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
  const isSure = network.endsInSoftmax(layer.name) || imagenetClasses.includes(layer.channels);
  return isSure && layer.channels >= 10 ? layer : null;
}

/** By how far the class scores spread; null where it gives none. */
async function judgeByScores(
  network: VisionNetwork,
  ranges: readonly Preprocessing[],
  options: CompileChoice,
): Promise<Judgement[] | null> {
  const last = scoresLayer(network);
  if (!last) return null;
  const { height, width, channels } = network.input;
  const shape = [1, height, width, channels] as const;
  const x = pictures(...shape);
  const judgements: Judgement[] = [];
  for (const range of ranges) {
    const step = await compile(
      (inputs, weights) => {
        const picture = preprocess(inputs.x as tf.Tensor4D, range);
        return { scores: network.forward(weights, picture, [{ layer: last.name }])[0]! };
      },
      { inputs: { x: { shape } }, weights: network.weights, ...options },
    );
    const { scores } = await step.run({ x });
    step.dispose();
    const spread = spreadOf(scores as Float32Array);
    judgements.push({
      fits: spread > 0.2 && spread < 50,
      // Among those that fit the likeliest, which comes first, is as good as any.
      badness: spread > 0.2 && spread < 50 ? 0 : Math.abs(Math.log(Math.max(spread, 1e-6) / 3)),
      finding: `its class scores spread over ${spread.toPrecision(2)}`,
    });
  }
  return judgements;
}

/** Standard deviation of class scores; of their logarithms where they are probabilities. */
function spreadOf(scores: Float32Array): number {
  const sum = scores.reduce((a, b) => a + b, 0);
  const probabilities = Math.abs(sum - 1) < 1e-3 && scores.every((score) => score >= 0);
  const logits = probabilities ? scores.map((p) => Math.log(Math.max(p, 1e-300))) : scores;
  const mean = logits.reduce((a, b) => a + b, 0) / logits.length;
  return Math.sqrt(logits.reduce((a, b) => a + (b - mean) ** 2, 0) / logits.length);
}
