/**
 * @file Loads TensorFlow.js with its gradients.
 *
 * Its bundles are CommonJS. Imported, Node would first read through three megabytes for the names that they export: 0.2 s.
 * Required, they are loaded in a quarter of that.
 *
 * The node bundle of tfjs-core registers no gradients and its `register_all_gradients` cannot be imported
 * from ES modules in Node; tfjs-layers' bundle registers them all.
 */
import { createRequire } from 'node:module';
import type * as Core from '@tensorflow/tfjs-core';
import { once } from '../../core/once.js';

export const loadTfjs = once((): typeof Core => {
  const require = createRequire(import.meta.url);
  const core: typeof Core = require('@tensorflow/tfjs-core');
  require('@tensorflow/tfjs-layers');
  // Without it the cpu backend greets every user with an advertisement for tfjs-node.
  core.enableProdMode();
  return core;
});
