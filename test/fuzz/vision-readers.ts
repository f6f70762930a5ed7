/** @file The readers of vision networks on damaged files: what each attempt writes, reads and checks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import type { Random } from '../../src/core/random.js';
import { encodeModel, type OnnxModel } from '../../src/engine/compiler/onnx-proto.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import type { Attempt } from '../helpers/fuzz.js';
import { mutateBytes, mutateValue } from '../helpers/mutate.js';
import { graphNetwork, kerasNetwork, onnxModel, resnetFile, type TfjsNetwork } from './networks.js';

/** Entries of all layers together; larger networks are read but not computed. */
const computed = 2 ** 18;

/** Opens a damaged network, and computes its layers where it is small: they must be as large as they say. */
function open(path: string): void {
  const network = openVisionNetwork(path);
  const { height, width, channels } = network.input;
  const entries = network.layers.reduce(
    (sum, layer) => sum + layer.channels * layer.size.reduce((a, b) => a * b, 1),
    height * width * channels,
  );
  if (!(entries < computed)) return;
  tf.tidy(() => compute(network));
}

function compute(network: VisionNetwork): void {
  const { height, width, channels } = network.input;
  const lookup = (name: string): tf.Tensor =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)], 'float32');
  const wanted = network.layers.map(({ name }) => ({ layer: name }));
  const outputs = network.forward(lookup, tf.zeros([1, height, width, channels]), wanted);
  outputs.forEach(({ shape }, i) => {
    const { name, channels, size } = network.layers[i]!;
    const said = `${name}: ${[...size, channels]}`;
    const is = `${name}: ${[...shape.slice(1, -1), shape.at(-1) ?? 1]}`;
    if (is !== said) throw new Error(`${said} was said, ${is} computed`);
  });
}

/** What is nested too deeply to be written is left as it was. */
function mutatedJson(model: unknown, random: Random): string {
  try {
    return JSON.stringify(mutateValue(model, random));
  } catch {
    return JSON.stringify(model);
  }
}

/** JSON, or its bytes, with faults; now and then the shard instead. */
function writeTfjs(folder: string, { model, shard }: TfjsNetwork, random: Random): string {
  const file = join(folder, 'model.json');
  const where = random.integer(10);
  const json = Buffer.from(where < 7 ? mutatedJson(model, random) : JSON.stringify(model));
  writeFileSync(file, where === 7 || where === 8 ? mutateBytes(json, random) : json);
  writeFileSync(join(folder, 'group1-shard1of1.bin'), where === 9 ? mutateBytes(shard, random) : shard);
  return file;
}

/** A model that protobuf can still encode, or its bytes, with faults. */
function writeOnnx(folder: string, model: OnnxModel, random: Random): string {
  const file = join(folder, 'model.onnx');
  const encoded = encodeModel(model);
  let bytes = mutateBytes(encoded, random);
  if (random.uniform() < 0.7) {
    try {
      bytes = encodeModel(mutateValue(model, random) as OnnxModel);
    } catch {
      // Not every value has an encoding.
    }
  }
  writeFileSync(file, bytes);
  return file;
}

function writeTorch(
  folder: string,
  { header, bytes }: ReturnType<typeof resnetFile>,
  random: Random,
): string {
  const file = join(folder, 'model.safetensors');
  const damaged = random.uniform() < 0.8 ? mutateValue(header, random) : header;
  const json = Buffer.from(JSON.stringify(damaged));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  const whole = Buffer.concat([length, json, bytes]);
  writeFileSync(file, damaged === header ? mutateBytes(whole, random) : whole);
  // A small picture, so that it is computed too.
  const config = { pretrained_cfg: { input_size: [3, 32, 32], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } };
  const damagedConfig = random.uniform() < 0.2 ? mutateValue(config, random) : config;
  writeFileSync(join(folder, 'config.json'), JSON.stringify(damagedConfig));
  return file;
}

/** By reader; each attempt overwrites the last one's files in `place`. */
export function visionAttempts(place: string): Record<string, Attempt> {
  const attempt = <T>(
    name: string,
    network: T,
    write: (folder: string, network: T, random: Random) => string,
  ): Attempt => {
    const folder = join(place, name);
    mkdirSync(folder, { recursive: true });
    return async (random) => {
      await tf.setBackend('cpu');
      open(write(folder, network, random));
    };
  };
  return {
    keras: attempt('keras', kerasNetwork(), writeTfjs),
    'tf-graph': attempt('tf-graph', graphNetwork(), writeTfjs),
    onnx: attempt('onnx', onnxModel(), writeOnnx),
    torch: attempt('torch', resnetFile(), writeTorch),
  };
}
