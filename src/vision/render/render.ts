/**
 * @file Rendering: pictures that excite units, by gradient ascent through random transforms.
 *
 * Units are taken in batches that fit into memory; a batch grows through its octaves, and every step is reported.
 */

import { UsageError, UserError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import type { EngineName } from '../../engine/compile.js';
import { type EventBody, eventClock, type JsonValue, type Run } from '../../runs/events.js';
import { fitInput } from '../input-fit.js';
import type { OptimizerName, ParameterizationName } from '../names.js';
import type { VisionNetwork } from '../network.js';
import { type Expression, formatExpression } from '../objectives/expression.js';
import { type Objective, resolveObjective } from '../objectives/objective.js';
import { parameterizations } from '../parameterizations/index.js';
import type { PictureShape } from '../parameterizations/parameterization.js';
import { type Picture, plainPicture } from '../picture.js';
import type { Preprocessing } from '../preprocess.js';
import { standardTransforms, type Transform } from '../transforms/transform.js';
import { makeView, type View } from '../transforms/view.js';
import { Ascent } from './ascent.js';
import { octaveSizes, resized } from './octaves.js';
import { defaults } from './optimizers.js';
import { soundUnits } from './sound-units.js';

export interface RenderOptions {
  readonly network: VisionNetwork;
  /** One picture for each; `variants` of each where that is given. */
  readonly units: readonly Expression[];
  readonly variants?: number;
  /** Height and width of the pictures. Default: the network's own, but at least 128. */
  readonly size?: number;
  readonly steps?: number;
  readonly start?: 'noise' | 'black' | Picture;
  readonly parameterization?: ParameterizationName;
  /** Default: `standardTransforms`. */
  readonly transforms?: readonly Transform[];
  readonly optimizer?: OptimizerName;
  readonly rate?: number;
  /** From how many sizes upwards, each `octaveScale` times the last. */
  readonly octaves?: number;
  readonly octaveScale?: number;
  /** What the network's pictures are brought to; default: what the network or `fitInput` says. */
  readonly preprocessing?: Preprocessing;
  readonly seed?: number;
  readonly engine?: EngineName;
  readonly signal?: AbortSignal;
  /** After how many steps a frame is kept, besides the first and the last; default: never. */
  readonly frameEvery?: number;
  /** Keeps the pictures of one step and says under which name, relative to the run folder. */
  readonly saveFrame?: (step: number, pictures: readonly RenderedUnit[]) => Promise<string>;
}

/** A unit and its picture at some moment. */
export interface RenderedUnit {
  readonly unit: string;
  readonly picture: Picture;
}

export interface UnitResult extends RenderedUnit {
  readonly activation: {
    /** Of the picture as it is, before the first and after the last step. */
    readonly start: number;
    readonly final: number;
    /** Of what the network was shown at each step. */
    readonly curve: readonly number[];
  };
  /** True when nothing moved the unit: no gradient of its own at any step. More steps may. */
  readonly dead: boolean;
}

export interface RenderResult {
  readonly units: readonly UnitResult[];
  readonly interrupted: boolean;
  readonly cost: { readonly seconds: number; readonly steps: number };
}

/** Pixels of a batch: what fits into memory beside the activations of a large network. */
const PIXELS_AT_ONCE = 2 ** 18;
/** A unit without a gradient gets a redirected one, but for every fourth step, which shows if it woke. */
const WAKE_CHECK = 4;

export const DEFAULT_STEPS = 256;

/** Height and width of a picture when nobody says. */
export function defaultSize({ input }: VisionNetwork): number {
  return Math.max(128, Math.min(input.height, 224));
}

/**
 * Renders a picture for each unit.
 *
 * @yields `started`, `warning` (input range, silent units, units that weights with NaN spoil), `frame`, `step` (mean activation), `progress`
 * @throws UsageError for what the network does not have, UserError for a picture too small for it
 */
export async function* renderUnits(options: RenderOptions): Run<RenderResult> {
  const { steps = DEFAULT_STEPS, variants = 1, signal, seed = 0 } = options;
  const event = eventClock();
  const began = performance.now();
  const { network, units, spoilt } = soundUnits(options.network, options.units);
  const size = options.size ?? defaultSize(network);
  const rows = units.flatMap((unit) => new Array<Expression>(variants).fill(unit));
  const objective = resolveObjective(network, rows);
  if (network.input.channels !== 1 && network.input.channels !== 3) {
    throw new UserError(
      `${network.name} reads ${network.input.channels} channels: pictures have 3 (colour) or 1 (grey)`,
    );
  }
  const labels = rows.map((row, i) => label(row, variants, i));
  yield event({
    kind: 'started',
    task: 'image',
    unit: units.map(formatExpression).join(', '),
    method: options.parameterization ?? 'fft',
  });
  for (const message of spoilt) yield event({ kind: 'warning', message });
  const given = options.preprocessing ?? network.input.preprocessing;
  const fit = await fitInput(network, given, {
    // What a known network was trained on is known; what the user says or nobody says is worth the time.
    byScores: options.preprocessing !== undefined || given === null,
    ...(options.engine && { engine: options.engine }),
  });
  if (fit.warning) yield event({ kind: 'warning', message: fit.warning });

  // Variants of one unit stay together: they may have to differ.
  const together = Math.max(1, Math.floor(PIXELS_AT_ONCE / (size * size) / variants)) * variants;
  const results: UnitResult[] = [];
  let done = 0;
  const total = steps * Math.ceil(rows.length / together);
  for (let first = 0; first < rows.length && !signal?.aborted; first += together) {
    const last = Math.min(rows.length, first + together);
    const batch = new Batch(
      { ...options, network, preprocessing: fit.preprocessing },
      { ...objective, rows: rows.slice(first, last) },
      labels.slice(first, last),
      size,
      Random.of(seed, `render ${first}`),
    );
    for await (const body of batch.run()) {
      if (body.kind === 'step') {
        const rate = (++done / (performance.now() - began)) * 1000;
        yield event({
          kind: 'progress',
          source: 'search',
          budget: 'steps',
          done,
          total,
          rate,
          rate_unit: 'steps',
          seconds_left: (total - done) / rate,
        });
      }
      yield event(body);
    }
    results.push(...batch.results());
  }
  if (results.length === 0) signal?.throwIfAborted();
  for (const { unit, dead, activation } of results) {
    if (dead) yield event({ kind: 'warning', message: silent([unit], activation.curve.length) });
    if (!Number.isFinite(activation.final)) {
      const message = `the activation of ${unit} became ${activation.final}: the network overflows; try a smaller rate`;
      yield event({ kind: 'warning', message });
    }
  }
  const interrupted = signal?.aborted ?? false;
  const cost = { seconds: (performance.now() - began) / 1000, steps: done };
  const summary: JsonValue = {
    cost,
    units: results.map(({ unit, dead, activation: { start, final } }) => ({ unit, dead, start, final })),
  };
  yield event({ kind: 'finished', reason: interrupted ? 'interrupted' : 'done', result: summary });
  return { units: results, interrupted, cost };
}

/** What is said of units that nothing has moved: that is no proof that nothing can. */
export function silent(units: readonly string[], steps: number): string {
  const are = units.length === 1 ? 'is' : 'are';
  return `${units.join(', ')} ${are} silent in all ${steps} steps: try more steps or a larger rate`;
}

function label(row: Expression, variants: number, i: number): string {
  const name = formatExpression(row);
  return variants === 1 ? name : `${name} (${(i % variants) + 1})`;
}

type ReadyOptions = RenderOptions & { readonly preprocessing: Preprocessing };

/** One batch on its way from start to end. */
class Batch {
  private readonly channels: number;
  private readonly curve: number[][];
  /** Rows that have had a gradient of their own at some step. */
  private readonly moved: boolean[];
  private pictures: Float32Array = new Float32Array(0);
  private start: Float32Array = new Float32Array(0);
  private final: Float32Array = new Float32Array(0);

  constructor(
    private readonly options: ReadyOptions,
    private readonly objective: Objective,
    private readonly labels: readonly string[],
    private readonly size: number,
    private readonly random: Random,
  ) {
    this.channels = options.network.input.channels;
    this.curve = labels.map(() => []);
    this.moved = labels.map(() => false);
  }

  async *run(): AsyncGenerator<EventBody> {
    const { steps = DEFAULT_STEPS, octaves = 1, octaveScale = 1.4, signal } = this.options;
    const sizes = octaveSizes(this.size, octaves, octaveScale);
    let step = 0;
    for (const [octave, size] of sizes.entries()) {
      const ascent = await this.begin(octave, sizes[octave - 1] ?? size, size);
      if (octave === 0) {
        this.start = await ascent.measure(this.random);
        yield* this.frame(0, ascent, size, this.start);
      }
      const end = Math.round((steps * (octave + 1)) / sizes.length);
      let activation: Float32Array = this.start;
      while (step < end && !signal?.aborted) {
        activation = await this.step(ascent, step++);
        const mean = activation.reduce((a, b) => a + b, 0) / activation.length;
        yield { kind: 'step', source: 'search', step, metrics: { activation: mean } };
        if (step < steps && step % (this.options.frameEvery ?? Number.POSITIVE_INFINITY) === 0) {
          yield* this.frame(step, ascent, size, activation);
        }
      }
      this.pictures = await ascent.pictures();
      if (octave === sizes.length - 1 || signal?.aborted) {
        if (signal?.aborted && size !== this.size) {
          this.pictures = await resized(this.pictures, this.shape(size), this.size);
        }
        this.final = await ascent.measure(this.random);
        if (step > 0) yield* this.frame(step, ascent, size, this.final);
      }
      await ascent.dispose();
      if (signal?.aborted) return;
    }
  }

  results(): UnitResult[] {
    return this.units(this.pictures, this.size).map((rendered, i) => ({
      ...rendered,
      activation: { start: this.start[i]!, final: this.final[i]!, curve: this.curve[i]! },
      dead: !this.moved[i] && this.curve[i]!.length > 0,
    }));
  }

  private shape(size: number): PictureShape {
    return { batch: this.labels.length, height: size, width: size, channels: this.channels };
  }

  /** The ascent of one octave: from the start, or from the octave before brought to this size. */
  private async begin(octave: number, before: number, size: number): Promise<Ascent> {
    const { parameterization: name = 'fft', start = 'noise', transforms, engine = 'onnx' } = this.options;
    const shape = this.shape(size);
    const parameterization = parameterizations[name](shape);
    if (name === 'maco' && start === 'black') {
      throw new UsageError(
        'the parameterization maco has the contrast of photographs and cannot start from black: use fft or pixel',
      );
    }
    const parameter =
      octave > 0
        ? await parameterization.fromPictures(await resized(this.pictures, this.shape(before), size))
        : start === 'noise'
          ? parameterization.noise(this.random)
          : await parameterization.fromPictures(await this.startPictures(start, size));
    const { network, preprocessing } = this.options;
    const view = viewFor(network, this.objective, transforms ?? standardTransforms(size), shape);
    return Ascent.create(
      {
        objective: this.objective,
        preprocessing,
        parameterization,
        view,
        plainView: viewFor(network, this.objective, [], shape),
        optimizer: this.options.optimizer ?? defaults[name].optimizer,
        engine,
      },
      parameter,
    );
  }

  private async startPictures(start: 'black' | Picture, size: number): Promise<Float32Array> {
    const picture = start === 'black' ? plainPicture(size, size, this.channels, 0) : start;
    const one = await resized(
      picture.data,
      { batch: 1, height: picture.height, width: picture.width, channels: this.channels },
      size,
    );
    const all = new Float32Array(one.length * this.labels.length);
    for (let i = 0; i < this.labels.length; i++) all.set(one, i * one.length);
    return all;
  }

  private async step(ascent: Ascent, step: number): Promise<Float32Array> {
    const { parameterization = 'fft', rate = defaults[parameterization].rate } = this.options;
    const redirect = step % WAKE_CHECK !== 0 && this.moved.includes(false);
    const { activation, gradient } = await ascent.step(rate, this.random, redirect);
    for (let i = 0; i < activation.length; i++) {
      this.curve[i]!.push(activation[i]!);
      // NaN is no silence.
      if (!redirect && !(gradient[i]! <= 0)) this.moved[i] = true;
    }
    return activation;
  }

  private async *frame(
    step: number,
    ascent: Ascent,
    size: number,
    activation: Float32Array,
  ): AsyncGenerator<EventBody> {
    const { saveFrame } = this.options;
    if (!saveFrame) return;
    const file = await saveFrame(step, this.units(await ascent.pictures(), size));
    yield { kind: 'frame', file, step, activation: activation[0]! };
  }

  private units(pictures: Float32Array, size: number): RenderedUnit[] {
    const area = size * size * this.channels;
    return this.labels.map((unit, i) => ({
      unit,
      picture: {
        width: size,
        height: size,
        channels: this.channels,
        data: pictures.slice(i * area, (i + 1) * area),
      },
    }));
  }
}

/** The view at the picture's own size where the network can read that, else at the size that it was trained at. */
function viewFor(
  network: VisionNetwork,
  objective: Objective,
  transforms: readonly Transform[],
  shape: PictureShape,
): View {
  const free = makeView(transforms, shape);
  const layers = objective.terms.flatMap(({ layer }) => (layer ? [layer.name] : []));
  if (network.reads(free.size, layers)) return free;
  const { height, width } = network.input;
  if (network.reads([height, width], layers)) return makeView(transforms, shape, [height, width]);
  return free;
}
