/** @file The layers of Keras that are understood: those of the networks in `keras.applications`, and their like. */
import type { KerasRule } from './context.js';
import { plain } from './plain.js';
import { weighted } from './weighted.js';

export const kerasLayers: Readonly<Record<string, KerasRule>> = { ...weighted, ...plain };
