/** Activations and image gradients of tiny networks of timm and transformers against PyTorch's (tools/make-vision-fixtures.py). */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compile, type Engine } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { openSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightLookup } from '../../src/engine/weights/weights.js';
import { finishRun } from '../../src/runs/events.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import { parseExpression } from '../../src/vision/objectives/parse.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { renderUnits } from '../../src/vision/render/render.js';
import { relativeError } from '../helpers/compare.js';
import { webgpu } from '../helpers/webgpu.js';

const folder = fileURLToPath(new URL('../fixtures/vision', import.meta.url));

/** Everything that the fixture holds for pictures of one size. */
async function computed(
  network: VisionNetwork,
  size: number,
  keys: readonly string[],
  picture: Float32Array,
  engine: Engine,
) {
  const at = (x: tf.Tensor, lookup: WeightLookup, name: string): tf.Tensor => {
    const [layer = '', cls] = name.split('@');
    return network.forward(lookup, x as tf.Tensor4D, [{ layer, classToken: cls !== undefined }])[0]!;
  };
  const one = (x: tf.Tensor, lookup: WeightLookup, layer: string): tf.Scalar =>
    tf.mean(network.forward(lookup, x as tf.Tensor4D, [{ layer, channels: [1] }])[0]!);
  const step = await compile(
    ({ x }, lookup) =>
      Object.fromEntries(
        keys.map((key) => {
          const layer = key.replace(/ gradient$/, '');
          return [
            key,
            key === layer ? at(x!, lookup, key) : tf.grad((image) => one(image, lookup, layer))(x!),
          ];
        }),
      ),
    { inputs: { x: { shape: [1, size, size, 3] } }, weights: network.weights, engine },
  );
  const values = await step.run({ x: picture });
  step.dispose();
  return values;
}

/** Compares all that the fixture holds, at each of its sizes, within an error relative to the largest value. */
async function compare(name: string, engine: Engine, tolerance: number): Promise<void> {
  const network = openVisionNetwork(`${folder}/${name}`);
  const expected = openSafetensors(`${folder}/${name}/expected.safetensors`);
  const sizes = new Set(expected.names.map((key) => Number.parseInt(key, 10)));
  for (const size of sizes) {
    const keys = expected.names
      .filter((key) => key.startsWith(`${size}.`))
      .map((key) => key.slice(`${size}.`.length));
    const layers = keys.filter((key) => key !== 'input');
    const values = await computed(network, size, layers, expected.read(`${size}.input`), engine);
    for (const key of layers) {
      const error = relativeError(values[key]!, expected.read(`${size}.${key}`));
      expect(error, `${key} at ${size} px, ${engine}`).toBeLessThan(tolerance);
    }
  }
}

test.each(readdirSync(folder))(
  '%s computes what PyTorch computes',
  async (name) => {
    for (const engine of ['onnx', 'cpu'] as const) await compare(name, engine, 1e-4);
  },
  60_000,
);

const exported = fileURLToPath(new URL('../fixtures/vision-onnx', import.meta.url));
const files = readdirSync(exported).flatMap((name) =>
  ['torchscript', 'dynamo'].map((exporter) => [name, exporter] as const),
);

test.each(files)(
  '%s computes what PyTorch computes, read from ONNX as torch exports it: %s',
  async (name, exporter) => {
    const network = openVisionNetwork(`${exported}/${name}/${exporter}.onnx`);
    const places = JSON.parse(readFileSync(`${exported}/${name}/places.json`, 'utf8'));
    const expected = openSafetensors(`${folder}/${name}/expected.safetensors`);
    const size = network.input.height;
    const inFile = (key: string): string => key.replace(/^[^@ ]+/, (layer) => places[layer]);
    const keys = expected.names
      .filter((key) => key.startsWith(`${size}.`) && key !== `${size}.input`)
      .map((key) => key.slice(`${size}.`.length));
    const picture = expected.read(`${size}.input`);
    const values = await computed(network, size, keys.map(inFile), picture, 'onnx');
    for (const key of keys) {
      const reference = expected.read(`${size}.${key}`);
      expect(relativeError(values[inFile(key)]!, reference), key).toBeLessThan(1e-4);
    }
    const neurons = Object.values<string>(places).filter((place) => /\.act$|activation_fn$/.test(place));
    expect(network.dips(neurons)).toBe(true);
  },
);

const { engine, skipped } = webgpu;
test.skipIf(skipped !== null).each(['dinov2-swiglu', 'timm-convnext'])(
  `%s on webgpu${skipped ? ` (${skipped})` : ''}`,
  (name) => compare(name, engine, 1e-3),
  60_000,
);

test('pictures for neurons, patches, the class token and heads of a vision transformer, at any size', async () => {
  const network = openVisionNetwork(`${folder}/timm-vit`);
  const names = [
    'blocks.1.mlp:3',
    'blocks.1.mlp:3@0,1',
    'blocks.1.mlp:3@cls',
    'blocks.1.attn.heads:1',
    'logit:2',
  ];
  const render = (units: string[]) =>
    finishRun(
      renderUnits({ network, units: units.map(parseExpression), size: 20, steps: 8, transforms: [] }),
    );
  const { units } = await render(names);
  expect(units.map(({ unit }) => unit)).toEqual(names);
  for (const { unit, activation } of units) expect(activation.final, unit).toBeGreaterThan(activation.start);
  expect(new Set(units.map(({ activation }) => activation.start)).size).toBe(names.length);
  await expect(render(['patch_embed:1@cls'])).rejects.toThrow(/"patch_embed" of timm-vit has no class token/);
  await expect(render(['blocks.1.mlp:3@5,0'])).rejects.toThrow(/is 5 x 5 here: @5,0 is outside of it/);
});
