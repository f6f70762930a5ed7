/** @file The parameterizations by name. */
import { fft } from './fft.js';
import { maco } from './maco.js';
import type { Parameterization, ParameterizationName, PictureShape } from './parameterization.js';
import { pixels } from './pixel.js';

export const parameterizations: Readonly<
  Record<ParameterizationName, (shape: PictureShape) => Parameterization>
> = { fft, pixel: pixels, maco };
