/** @file The same network in tfjs-layers, to compare with. */
import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import * as tf from '../../src/engine/functions/tfjs.js';

/** Loads a LayersModel from a folder, on the cpu backend. */
export async function loadPeer(folder: string) {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const groups = weightsManifest as { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  const bytes = Buffer.concat(
    groups.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path)))),
  );
  await tf.setBackend('cpu');
  return loadLayersModel({
    load: async () => ({
      modelTopology,
      weightSpecs: groups.flatMap(({ weights }) => weights),
      weightData: new Uint8Array(bytes).buffer,
    }),
  });
}
