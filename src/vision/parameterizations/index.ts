/** @file The parameterizations by name. */

import type { ParameterizationName } from '../names.js';
import { fft } from './fft.js';
import { maco } from './maco.js';
import type { Parameterization, PictureShape } from './parameterization.js';
import { pixels } from './pixel.js';

export const parameterizations: Readonly<
  Record<ParameterizationName, (shape: PictureShape) => Parameterization>
> = { fft, pixel: pixels, maco };
