/** @file What a render is asked for, and what it gives. */

import type { Engine } from '../../engine/compile.js';
import type { InputKind, OptimizerName, ParameterizationName } from '../names.js';
import type { VisionNetwork } from '../network.js';
import type { Expression } from '../objectives/expression.js';
import type { Picture } from '../picture.js';
import type { PictureSize } from '../picture-size.js';
import type { Preprocessing } from '../preprocess.js';
import type { Transform } from '../transforms/transform.js';
import type { AscentState } from './ascent.js';

export interface RenderOptions {
  readonly network: VisionNetwork;
  /** One picture for each; `variants` of each where that is given. */
  readonly units: readonly Expression[];
  readonly variants?: number;
  /** Pixels; one number for both sides. Default: the network's own, but 128 to 224 pixels square or as many pixels. */
  readonly size?: number | PictureSize;
  readonly steps?: number;
  readonly start?: 'noise' | 'black' | Picture;
  readonly parameterization?: ParameterizationName;
  /** Default: `standardTransforms`. */
  readonly transforms?: readonly Transform[];
  readonly optimizer?: OptimizerName;
  readonly rate?: number;
  /** From how many sizes upwards (`octaveSizes`). */
  readonly octaves?: number;
  /** What the planes of the network's pictures are; default: three are colours, one is grey, others are pictures each. */
  readonly input?: InputKind;
  /** What the network's pictures are brought to; default: what the network or `fitInput` says. */
  readonly preprocessing?: Preprocessing;
  readonly seed?: number;
  /** All steps in float32; else most may be in 8 bits where that is much faster, or in half precision on a GPU. */
  readonly exact?: boolean;
  readonly engine?: Engine;
  readonly signal?: AbortSignal;
  /** After how many steps a frame is kept, besides the first and the last; default: never. */
  readonly frameEvery?: number;
  /** Gets the pictures of one step; returns the name of their file, relative to the run folder, or null without one. */
  readonly saveFrame?: (step: number, pictures: readonly RenderedUnit[]) => Promise<string | null>;
  /** After how many steps the state is kept, besides when the signal stops the render; default: never. */
  readonly stateEvery?: number;
  /** Keeps the state to resume from. */
  readonly saveState?: (state: RenderState) => void;
  /** Where an earlier render with the same options stood. */
  readonly from?: RenderState;
  /** Seconds on the clock of the run that is resumed. */
  readonly clock?: number;
}

/** A moment of a render. */
export interface RenderState {
  /** Steps taken, those of finished batches included. */
  readonly done: number;
  /** Results of finished batches. */
  readonly results: readonly UnitResult[];
  readonly batch: BatchState;
}

/** A unit and its picture at some moment. */
export interface RenderedUnit {
  readonly unit: string;
  readonly picture: Picture;
}

export interface UnitResult extends RenderedUnit {
  readonly activation: {
    /** Activation of the picture as it is, before the first and after the last step. */
    readonly start: number;
    readonly final: number;
    /** Activation of what the network was shown at each step; good to about a percent where that was computed in 8 bits. */
    readonly curve: readonly number[];
  };
  /** True when nothing moved the unit: no gradient of its own at any step. More steps may. */
  readonly dead: boolean;
}

export interface RenderResult {
  readonly units: readonly UnitResult[];
  /** Units whose activation hardly rose, or sank, though nothing but they were asked for. */
  readonly stalled: readonly string[];
  readonly interrupted: boolean;
  readonly cost: { readonly seconds: number; readonly steps: number };
}

/** A moment of a batch. */
export interface BatchState {
  readonly octave: number;
  readonly step: number;
  readonly ascent: AscentState;
  /** By row. */
  readonly curve: readonly (readonly number[])[];
  readonly moved: readonly boolean[];
  readonly start: readonly number[];
  readonly random: readonly number[];
}
