/**
 * @file TensorFlow.js with its gradients.
 *
 * The node bundle of tfjs-core registers no gradients and its `register_all_gradients` cannot be imported
 * from ES modules in Node; tfjs-layers' bundle registers them all.
 */
import { enableProdMode } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';

// Without it the cpu backend greets every user with an advertisement for tfjs-node.
enableProdMode();

export * from '@tensorflow/tfjs-core';
