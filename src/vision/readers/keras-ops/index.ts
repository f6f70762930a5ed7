/** @file The layers of Keras that are understood: those of the networks in `keras.applications`, and their like. */
import { own } from '../../../core/own.js';
import type { KerasRule } from './context.js';
import { plainLayers } from './plain.js';
import { weighted } from './weighted.js';

const kerasLayers: Readonly<Record<string, KerasRule>> = { ...weighted, ...plainLayers };

/** How a layer of that class is translated; undefined where it is not supported. */
export const kerasRule = (className: string): KerasRule | undefined => own(kerasLayers, className);
