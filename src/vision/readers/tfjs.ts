/** @file A network of TensorFlow.js: `model.json`, of layers or of a graph. */
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import type { NetworkReader } from '../model-file.js';
import { checked, readJsonFile } from './json-file.js';
import { kerasNetwork } from './keras.js';
import { kerasTopologySchema } from './keras-config.js';
import { graphModelNetwork, graphTopologySchema } from './tf-graph.js';
import { manifestSchema, TfjsWeights } from './tfjs-weights.js';

/** Throws UserError for what is no such network, or one that is damaged or uses something not supported. */
export const readTfjs: NetworkReader = ({ file, label: name }) => {
  const raw = readJsonFile(
    file,
    z.object({ modelTopology: z.unknown().optional(), weightsManifest: z.unknown().optional() }),
  );
  if (!raw.modelTopology || !raw.weightsManifest) {
    throw new UserError(`${file} is no TensorFlow.js model: it lacks modelTopology or weightsManifest`);
  }
  const weights = new TfjsWeights(
    file,
    checked(manifestSchema, raw.weightsManifest, `weightsManifest of ${file}`),
  );
  const what = `modelTopology of ${file}`;
  return Object.hasOwn(raw.modelTopology, 'node')
    ? graphModelNetwork(
        checked(graphTopologySchema, raw.modelTopology, what),
        weights,
        name ?? graphName(resolve(file)),
      )
    : kerasNetwork(checked(kerasTopologySchema, raw.modelTopology, what), weights, name);
};

/** A graph has no name of its own: that of its file, or of its folder where the file has the usual one. */
function graphName(file: string): string {
  const stem = basename(file, '.json');
  return stem === 'model' ? basename(dirname(file)) : stem;
}
