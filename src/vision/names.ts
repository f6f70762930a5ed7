/** @file Names that a request for a picture is made of; light, for who only lists or checks them. */

/** What is optimized: a Fourier spectrum (the default), pixels, or phases alone. */
export const parameterizationNames = ['fft', 'pixel', 'maco'] as const;
export type ParameterizationName = (typeof parameterizationNames)[number];

/** How a step follows the gradient. */
export const optimizerNames = ['adam', 'ascent'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** What a network's pictures are brought to. */
export const rangeNames = ['imagenet', '-1..1', '0..1', '0..255', 'caffe'] as const;
export type RangeName = (typeof rangeNames)[number];
