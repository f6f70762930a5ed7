/** @file What a request for a picture is made of: names, defaults, bounds. Imports little: for code that only lists or checks them. */

/** What is optimized: a Fourier spectrum, pixels, or phases alone. */
export const parameterizationNames = ['fft', 'pixel', 'maco'] as const;
export type ParameterizationName = (typeof parameterizationNames)[number];

/** How a step follows the gradient. */
export const optimizerNames = ['adam', 'ascent'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** What a network's pictures are brought to. */
export const rangeNames = ['imagenet', '-1..1', '0..1', '0..255', 'caffe'] as const;
export type RangeName = (typeof rangeNames)[number];

/** What the planes of a network's pictures are. */
export const inputKinds = ['colors', 'grey', 'planes'] as const;
export type InputKind = (typeof inputKinds)[number];

/** What a request is unless asked otherwise. */
export const imageDefaults = {
  steps: 256,
  start: 'noise',
  parameterization: 'fft',
  transforms: 'standard',
  octaves: 1,
  variants: 1,
} as const;

export const imageBounds = {
  steps: { min: 1, max: 100_000 },
  /** Pixels of a side. */
  size: { min: 16, max: 2048 },
  octaves: { min: 1, max: 10 },
  variants: { min: 1, max: 64 },
} as const;
