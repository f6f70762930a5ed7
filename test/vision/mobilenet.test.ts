/** A real TFJS LayersModel, as it was published, distinguishes fish from frogs. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { preprocess } from '../../src/vision/preprocess.js';
import { loadPeer } from '../helpers/tfjs-peer.js';

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));
const model = `${shared}models/mobilenet_v1_0.25_224`;
const archive = `${shared}data/tiny-imagenet-valid.tar`;

/** Classes of tiny ImageNet with their number among ImageNet's thousand. */
const classes = new Map([
  ['n01443537', 1], // goldfish
  ['n01629819', 25], // European fire salamander
  ['n01641577', 30], // bullfrog
  ['n01770393', 71], // scorpion
  ['n01882714', 105], // koala
  ['n01910747', 107], // jellyfish
  ['n01983481', 122], // American lobster
]);

/** JPEGs of the wanted classes, out of a tar file. */
function* pictures(): Generator<{ truth: number; jpeg: Buffer }> {
  const tar = readFileSync(archive);
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('ascii', at + 124, at + 136), 8) || 0;
    const truth = classes.get(name.split('/')[0]!);
    if (truth !== undefined && size > 0) yield { truth, jpeg: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

describe.skipIf(!existsSync(model))('MobileNet (needs ../shared/models)', () => {
  let network: VisionNetwork;
  beforeAll(() => {
    network = openVisionNetwork(model);
  });

  test('keeps its Keras names', () => {
    expect(network.layers).toHaveLength(87);
    expect(network.layer('conv_pw_11_relu')).toEqual({
      name: 'conv_pw_11_relu',
      kind: 'Activation',
      channels: 128,
      size: [14, 14],
    });
    expect(() => network.layer('conv_pw_11_rleu')).toThrow(/did you mean "conv_pw_11_relu"/);
  });

  test('computes what tfjs-layers computes', async () => {
    const peer = await loadPeer(model);
    const x = tf.randomUniform([1, 224, 224, 3], -1, 1, 'float32', 3) as tf.Tensor4D;
    const expected = (peer.predict(x) as tf.Tensor).dataSync();
    const lookup = (name: string): tf.Tensor =>
      tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);
    const got = network.forward(lookup, x, [{ layer: 'reshape_2' }])[0]!.dataSync();
    expect(Math.max(...expected)).toBeGreaterThan(0.1);
    expect(Math.max(...got.map((y, i) => Math.abs(y - expected[i]!)))).toBeLessThan(1e-5);
  });

  test.skipIf(!existsSync(archive))('names what is in small photographs', async () => {
    const step = await compile(
      ({ picture }, weights) => {
        const x = preprocess(picture as tf.Tensor4D, network.input.preprocessing!);
        const [logits] = network.forward(weights, x, [{ layer: 'conv_preds' }]);
        return { logits: tf.reshape(logits!, [1000]) };
      },
      { inputs: { picture: { shape: [1, 128, 128, 3] } }, weights: network.weights },
    );
    let seen = 0;
    let first = 0;
    let amongFive = 0;
    for (const { truth, jpeg } of pictures()) {
      const rgb = await sharp(jpeg)
        .resize(128, 128, { kernel: 'lanczos3' })
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer();
      const { logits } = await step.run({ picture: Float32Array.from(rgb, (byte) => byte / 255) });
      const rank = logits!.filter((logit) => logit > logits![truth]!).length;
      seen++;
      if (rank === 0) first++;
      if (rank < 5) amongFive++;
    }
    step.dispose();
    expect(seen).toBe(20 * classes.size);
    // Chance: 0.1 % and 0.5 %. The smallest MobileNet, on photographs blown up from 64 pixels: 18 % and 36 %.
    expect(first / seen).toBeGreaterThan(0.12);
    expect(amongFive / seen).toBeGreaterThan(0.25);
  });
});
