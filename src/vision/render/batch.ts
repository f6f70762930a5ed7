/** @file A batch of pictures on its way through its octaves: stepped, looked at, kept to be resumed. */

import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import type { Resident } from '../../engine/compile.js';
import type { EventBody } from '../../runs/events.js';
import { imageDefaults, type ParameterizationName } from '../names.js';
import type { Objective } from '../objectives/objective.js';
import { parameterizations } from '../parameterizations/index.js';
import type { PictureShape } from '../parameterizations/parameterization.js';
import { type Picture, plainPicture } from '../picture.js';
import type { PictureSize } from '../picture-size.js';
import { drawnPlanes } from '../planes.js';
import type { Preprocessing } from '../preprocess.js';
import { standardTransforms } from '../transforms/transform.js';
import { Ascent } from './ascent.js';
import { layersOf, viewFor } from './fitting-size.js';
import { octaveSizes, resized } from './octaves.js';
import { defaults } from './optimizers.js';
import type { BatchState, RenderedUnit, RenderOptions, UnitResult } from './render-options.js';
import { canBeRough } from './rough-steps.js';

/** A unit without a gradient gets a redirected one, but for every fourth step, which shows if it woke. */
const WAKE_CHECK = 4;

type ReadyOptions = RenderOptions & { readonly preprocessing: Preprocessing };

/** One batch on its way from start to end. */
export class Batch {
  private readonly channels: number;
  private readonly parameterization: ParameterizationName;
  private readonly curve: number[][];
  /** Rows that have had a gradient of their own at some step. */
  private readonly moved: boolean[];
  /** Whether a unit may lie in the dip of its activation function. */
  private readonly dips: boolean;
  private pictures: Float32Array = new Float32Array(0);
  private start: Float32Array = new Float32Array(0);
  private final: Float32Array = new Float32Array(0);

  constructor(
    private readonly options: ReadyOptions,
    private readonly objective: Objective,
    private readonly labels: readonly string[],
    private readonly size: PictureSize,
    private random: Random,
    private readonly from?: BatchState,
  ) {
    this.channels = drawnPlanes(options.network.input.channels, options.input);
    this.parameterization = options.parameterization ?? imageDefaults.parameterization;
    this.dips = options.network.dips(layersOf(objective.terms));
    this.curve = labels.map((_, i) => [...(from?.curve[i] ?? [])]);
    this.moved = labels.map((_, i) => from?.moved[i] ?? false);
    if (from) this.start = Float32Array.from(from.start);
    if (from) this.random = new Random(Uint32Array.from(from.random));
  }

  /** @param keep - is given the state every `stateEvery` steps, and when the signal stops the batch */
  async *run(keep: (state: BatchState) => void): AsyncGenerator<EventBody> {
    const { from } = this;
    const { stateEvery = Number.POSITIVE_INFINITY, frameEvery = Number.POSITIVE_INFINITY } = this.options;
    const { steps = imageDefaults.steps, octaves = imageDefaults.octaves, signal } = this.options;
    const sizes = octaveSizes(this.size, octaves);
    let step = from?.step ?? 0;
    for (const [octave, size] of sizes.entries()) {
      if (from && octave < from.octave) continue;
      const ascent = await this.begin(octave, sizes[octave - 1] ?? size, size);
      // The start is measured after the first step, which then comes sooner by the time that takes.
      let start = octave === 0 && !from ? ascent.hold() : null;
      const end = Math.round((steps * (octave + 1)) / sizes.length);
      while (step < end && !signal?.aborted) {
        const activation = await this.step(ascent, step++);
        yield { kind: 'step', source: 'search', step, metrics: { activation: mean(activation) } };
        if (start) yield* this.measureStart(ascent, size, start, activation);
        start = null;
        if (step < steps && step % frameEvery === 0) {
          yield* this.frame(step, ascent, size, activation);
        }
        if (step % stateEvery === 0) keep(await this.state(octave, step, ascent));
      }
      if (start) yield* this.measureStart(ascent, size, start);
      if (signal?.aborted) keep(await this.state(octave, step, ascent));
      this.pictures = await ascent.pictures();
      if (octave === sizes.length - 1 || signal?.aborted) {
        this.pictures = await resized(this.pictures, this.shape(size), this.size);
        this.final = await ascent.measure(this.random);
        if (step > 0) yield* this.frame(step, ascent, size, this.final);
      }
      await ascent.dispose();
      if (signal?.aborted) return;
    }
  }

  /** False where it was stopped before there were pictures to show. */
  get hasEnded(): boolean {
    return this.final.length > 0;
  }

  results(): UnitResult[] {
    return this.units(this.pictures, this.size).map((rendered, i) => ({
      ...rendered,
      activation: { start: this.start[i]!, final: this.final[i]!, curve: this.curve[i]! },
      dead: !this.moved[i] && this.curve[i]!.length > 0,
    }));
  }

  private async state(octave: number, step: number, ascent: Ascent): Promise<BatchState> {
    return {
      octave,
      step,
      ascent: await ascent.snapshot(),
      curve: this.curve.map((values) => [...values]),
      moved: [...this.moved],
      start: [...this.start],
      random: [...this.random.snapshot()],
    };
  }

  private shape({ width, height }: PictureSize): PictureShape {
    const { input } = this.options;
    return { batch: this.labels.length, height, width, channels: this.channels, ...(input && { input }) };
  }

  /** The ascent of one octave: from the start, or from the octave before brought to this size. */
  private async begin(octave: number, before: PictureSize, size: PictureSize): Promise<Ascent> {
    const { start = imageDefaults.start, transforms, engine = 'onnx' } = this.options;
    const name = this.parameterization;
    const shape = this.shape(size);
    const parameterization = parameterizations[name](shape);
    if (name === 'maco' && start === 'black') {
      throw new UsageError(
        'the parameterization maco has the contrast of photographs and cannot start from black: use fft or pixel',
      );
    }
    const resumed = this.from?.octave === octave ? this.from.ascent : null;
    const parameter =
      resumed ??
      (octave > 0
        ? await parameterization.fromPictures(await resized(this.pictures, this.shape(before), size))
        : start === 'noise'
          ? parameterization.noise(this.random)
          : await parameterization.fromPictures(await this.startPictures(start, size)));
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

  private async startPictures(start: 'black' | Picture, size: PictureSize): Promise<Float32Array> {
    const picture = start === 'black' ? plainPicture(size.width, size.height, this.channels, 0) : start;
    const one = await resized(
      picture.data,
      { batch: 1, height: picture.height, width: picture.width, channels: this.channels },
      size,
    );
    const all = new Float32Array(one.length * this.labels.length);
    for (let i = 0; i < this.labels.length; i++) all.set(one, i * one.length);
    return all;
  }

  /** @returns activations; good to about a percent where they were computed in 8 bits */
  private async step(ascent: Ascent, step: number): Promise<Float32Array> {
    const { rate = defaults[this.parameterization].rate } = this.options;
    const sleeps =
      this.moved.includes(false) || (this.dips && this.curve.some((values) => (values.at(-1) ?? 0) < 0));
    const redirect = step % WAKE_CHECK !== 0 && sleeps;
    const rough = !sleeps && (await this.isRough(ascent, step));
    const { activation, gradient } = await ascent.step(
      rate,
      this.random,
      redirect ? 'redirected step' : rough ? 'rough step' : 'step',
    );
    for (let i = 0; i < activation.length; i++) {
      this.curve[i]!.push(activation[i]!);
      // NaN is no silence.
      if (!redirect && !(gradient[i]! <= 0)) this.moved[i] = true;
    }
    return activation;
  }

  private async isRough(ascent: Ascent, step: number): Promise<boolean> {
    const { steps = imageDefaults.steps, frameEvery = Number.POSITIVE_INFINITY, saveFrame } = this.options;
    if (this.options.exact || this.dips) return false;
    const every = saveFrame ? frameEvery : Number.POSITIVE_INFINITY;
    return canBeRough(step, steps, every) && (await ascent.gainsRoughly());
  }

  /** @param shown - activations at the first step, of which without transforms the start itself was shown */
  private async *measureStart(
    ascent: Ascent,
    size: PictureSize,
    start: Resident,
    shown: Float32Array | null = null,
  ): AsyncGenerator<EventBody> {
    const isPlain = this.options.transforms?.length === 0;
    this.start = (isPlain && shown) || (await ascent.measure(this.random, start));
    yield* this.frame(0, ascent, size, this.start, start);
    ascent.letGo();
  }

  private async *frame(
    step: number,
    ascent: Ascent,
    size: PictureSize,
    activation: Float32Array,
    held?: Resident,
  ): AsyncGenerator<EventBody> {
    const { saveFrame } = this.options;
    if (!saveFrame) return;
    const file = await saveFrame(step, this.units(await ascent.pictures(held), size));
    if (file !== null) yield { kind: 'frame', file, step, activation: activation[0]! };
  }

  private units(pictures: Float32Array, { width, height }: PictureSize): RenderedUnit[] {
    const area = width * height * this.channels;
    return this.labels.map((unit, i) => ({
      unit,
      picture: {
        width,
        height,
        channels: this.channels,
        data: pictures.slice(i * area, (i + 1) * area),
      },
    }));
  }
}

const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
