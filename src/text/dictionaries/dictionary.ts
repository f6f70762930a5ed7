/**
 * @file What a dictionary of latents is (a sparse autoencoder, a transcoder), whatever format its files have: where its
 * arrays lie, and how a latent follows from what it reads.
 *
 *     x = what stands at the place, normalized, scaled, less `subtract`
 *     h = (x . encoder row + bias) * scale of the latent     the pre-activation
 *     latent = activation(h)
 */
import type { NamedArrays } from '../../engine/weights/named-arrays.js';

/** A matrix with one line a latent. */
export interface LatentMatrix {
  /** The array's name in the dictionary's file. */
  readonly name: string;
  /** The axis that latents are numbered along. */
  readonly latents: 0 | 1;
}

export type LatentActivation =
  | { readonly kind: 'relu' }
  /** h where it is above 0 and above the threshold, else 0. */
  | {
      readonly kind: 'jump';
      /** A number for all latents, or the name of an array of one a latent (or a single one). */
      readonly threshold: number | string;
      /** The array has logarithms. */
      readonly log?: boolean;
    }
  /** relu(x . row * exp(gain) + magnitude) where h is above 0: names of arrays. */
  | { readonly kind: 'gated'; readonly gain: string; readonly magnitude: string }
  /** h where it is among the k largest of all latents; negative ones only where they are `signed`. */
  | { readonly kind: 'topk'; readonly k: number; readonly signed: boolean };

export interface Dictionary {
  /** The common name of its files' format. */
  readonly format: string;
  readonly arrays: NamedArrays;
  /** How many latents it has. */
  readonly size: number;
  /** Numbers that it reads at a position. */
  readonly width: number;
  /** What it reads, as its files say it (`dictionary-places.ts`); null where they do not. */
  readonly place: string | null;
  /** The model that it belongs to, as its files say it. */
  readonly model: string | null;
  readonly input: {
    /**
     * `layerNorm`: less the mean, over the standard deviation (of n - 1) plus 1e-5; `rescale`: to the norm sqrt(width).
     */
    readonly normalization: 'none' | 'layerNorm' | 'rescale';
    /** Less its mean over `width`, before all else. */
    readonly centred: boolean;
    readonly scale: number;
    /** Name of the array that is subtracted, `[width]`. */
    readonly subtract: string | null;
  };
  /** What latents write back, where that is what was read: rows, and the name of a `[width]` array that is added. */
  readonly decoder: { readonly matrix: LatentMatrix; readonly bias: string } | null;
  readonly encoder: LatentMatrix;
  /** Name of an array, `[latent]`. */
  readonly bias: string | null;
  /** The norms of its lines are the scales of the latents; without it, these are 1. */
  readonly scaledBy?: LatentMatrix;
  readonly activation: LatentActivation;
}

/** What most dictionaries do with their input. */
export const plainInput: Dictionary['input'] = {
  normalization: 'none',
  centred: false,
  scale: 1,
  subtract: null,
};
