/** @file The embedded CNN: what was shipped is what was trained, here and in TensorFlow.js. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { compile } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { resolveLocal } from '../../src/hub/resolve-model.js';
import { deadChannels, shippedChannelStatistics } from '../../src/vision/channel-statistics.js';
import { fitInput } from '../../src/vision/input-fit.js';
import { naturalPictures } from '../../src/vision/natural.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { preprocess } from '../../src/vision/preprocess.js';
import { convLayers } from '../../tools/cnn.js';
import { loadPictures } from '../../tools/pictures.js';
import { shippedClassifier, topOne } from '../../tools/top-one.js';
import { shared } from '../helpers/shared.js';
import { loadPeer } from '../helpers/tfjs-peer.js';

const { folder } = resolveLocal('tiny-vgg')!;
const network = openVisionNetwork(folder);
const SIZE = 64;

/** Made from the parameters in full precision when they were exported. */
const reference = JSON.parse(readFileSync(new URL('tiny-vgg.json', import.meta.url), 'utf8')) as {
  seed: number;
  layers: { layer: string; indices: number[]; values: number[] }[];
};

describe('models/tiny-vgg', () => {
  it('has the layers of the classic networks', () => {
    expect(convLayers.map(({ name }) => name)).toContain('block4_conv1');
    for (const { name, output } of convLayers) expect(network.layer(name).channels).toBe(output);
    expect(network.layer('predictions').channels).toBe(200);
    const { userDefinedMetadata } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
    expect(userDefinedMetadata.classes).toHaveLength(200);
    expect(userDefinedMetadata.classes[0]).toEqual({ id: 'n01443537', name: 'goldfish' });
  });

  it('knows its range, which fits', async () => {
    const { preprocessing, warning } = await fitInput(network);
    expect(warning).toBeNull();
    expect(preprocessing).toEqual(network.input.preprocessing);
  });

  const picture = naturalPictures(new Random(reference.seed), 1, SIZE, SIZE);

  it('has the activations of the trained parameters, within half precision', async () => {
    const program = await compile(
      ({ x }, weights) => {
        const wanted = reference.layers.map(({ layer }) => ({ layer }));
        const maps = network.forward(
          weights,
          preprocess(x as tf.Tensor4D, network.input.preprocessing!),
          wanted,
        );
        return Object.fromEntries(maps.map((map, i) => [wanted[i]!.layer, map]));
      },
      { inputs: { x: { shape: [1, SIZE, SIZE, 3] } }, weights: network.weights },
    );
    const found = await program.run({ x: picture });
    program.dispose();
    for (const { layer, indices, values } of reference.layers) {
      const scale = Math.max(...values.map(Math.abs));
      expect(scale, layer).toBeGreaterThan(0);
      for (const [i, index] of indices.entries())
        expect(Math.abs(found[layer]![index]! - values[i]!) / scale, layer).toBeLessThan(0.01);
    }
  });

  it('gives the same in tfjs-layers', async () => {
    const peer = await loadPeer(folder);
    const bytes = tf.tensor4d(
      picture.map((x) => 255 * x),
      [1, SIZE, SIZE, 3],
    );
    const logits = (peer.predict(bytes) as tf.Tensor).dataSync();
    const { indices, values } = reference.layers.find(({ layer }) => layer === 'predictions')!;
    for (const [i, index] of indices.entries())
      expect(Math.abs(logits[index]! - values[i]!)).toBeLessThan(0.05);
  });

  it('ships statistics of every channel', () => {
    const shipped = shippedChannelStatistics(folder)!;
    expect(shipped.counted.pictures).toBe(4000);
    const dead: string[] = [];
    for (const { name: layer, output } of convLayers) {
      const { position, picture } = shipped.load(layer)!;
      for (const { mean, deviation, max, quantiles } of [position, picture]) {
        expect(mean).toHaveLength(output);
        for (let channel = 0; channel < output; channel++) {
          const rising = [0, 1, 2, 3].map((q) => quantiles[q * output + channel]!).concat(max[channel]!);
          expect([...rising].sort((a, b) => a - b)).toEqual(rising);
          expect(deviation[channel]).toBeGreaterThan(0);
          // A mean over pictures is the mean of their means, and no mean exceeds the strongest position.
          expect(picture.mean[channel]).toBeCloseTo(position.mean[channel]!, 3);
          expect(picture.max[channel]).toBeLessThanOrEqual(position.max[channel]!);
        }
      }
      dead.push(...deadChannels({ position, picture }).map((channel) => `${layer}:${channel}`));
    }
    expect(JSON.parse(readFileSync(join(folder, 'units.json'), 'utf8')).dead).toEqual(dead);
  });

  const valid = shared('data/tiny-imagenet-valid.tar');
  describe.skipIf(valid.missing)(valid.title('on validation pictures'), () => {
    let cache: string;
    beforeAll(() => {
      cache = mkdtempSync(join(tmpdir(), 'superstim-tiny-vgg-'));
    });
    afterAll(() => rmSync(cache, { recursive: true }));

    it('names a third of every fourth right', async () => {
      const pictures = await loadPictures(valid.path, join(cache, 'valid'));
      const bytes = SIZE * SIZE * 3;
      const chosen = [...pictures.labels.keys()].filter((n) => n % 4 === 0);
      const some = {
        classes: pictures.classes,
        labels: pictures.labels.filter((_, n) => n % 4 === 0),
        pixels: Buffer.concat(chosen.map((n) => pictures.pixels.subarray(n * bytes, (n + 1) * bytes))),
      };
      expect(await topOne(shippedClassifier(network), some)).toBeGreaterThan(0.33);
    });
  });
});
