/**
 * @file TensorFlow.js with its gradients.
 *
 * The node bundle of tfjs-core registers no gradients and its `register_all_gradients` cannot be imported
 * from ES modules in Node; tfjs-layers' bundle registers them all.
 */
import '@tensorflow/tfjs-layers';

export * from '@tensorflow/tfjs-core';
