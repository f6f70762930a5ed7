/** A wrong range is caught: on a real network with batch norm, and on one whose only trace is its class scores. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { MemoryWeights } from '../../src/engine/weights/weights.js';
import { fitInput } from '../../src/vision/input-fit.js';
import { GraphBuilder } from '../../src/vision/layers/graph.js';
import { param } from '../../src/vision/layers/params.js';
import { VisionNetwork } from '../../src/vision/network.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { caffe, imagenet, range } from '../../src/vision/preprocess.js';
import { torchNetwork } from '../../src/vision/torch/index.js';
import { FormulaWeights } from './formula-weights.js';
import { tinyNetwork } from './tiny-network.js';

const model = fileURLToPath(new URL('../../../shared/models/mobilenet_v1_0.25_224', import.meta.url));
const fixture = new URL('../../../shared/fixtures/vision/squeezenet1_1.json', import.meta.url);

describe.skipIf(!existsSync(model))('with a batch norm (needs ../shared/models)', () => {
  let network: VisionNetwork;
  beforeAll(() => {
    network = openVisionNetwork(model);
  });

  test('the right range fits', async () => {
    expect(await fitInput(network)).toEqual({ preprocessing: network.input.preprocessing, warning: null });
  });

  test.each([
    ['0 to 1', range(0, 1)],
    ['0 to 255', range(0, 255)],
    ["ImageNet's", imagenet],
    ["Caffe's", caffe],
  ])('%s does not', async (_, wrong) => {
    const { warning } = await fitInput(network, wrong);
    expect(warning).toMatch(
      /the wrong range \(its first batch norm sees [\d.e+]+ times the contrast .*; -1 to 1 would fit better/,
    );
  });

  test('it is found where nothing is known', async () => {
    const { preprocessing, warning } = await fitInput(network, null);
    expect(preprocessing).toEqual(range(-1, 1));
    expect(warning).toMatch(/does not say .*: assuming -1 to 1, which fits/);
  });
});

describe.skipIf(!existsSync(fixture))('without (needs ../shared/fixtures/vision)', () => {
  test('scores that spread too far give it away', async () => {
    const weights = new FormulaWeights(JSON.parse(readFileSync(fixture, 'utf8')).state_dict);
    const { graph } = torchNetwork(weights);
    const input = { height: 96, width: 96, channels: 3, preprocessing: imagenet };
    const network = new VisionNetwork({ name: 'squeezenet', graph, weights, input });
    // Random weights are no trained network, but like one they are made for inputs about 1 in size.
    expect((await fitInput(network)).warning).toBeNull();
    const strong = { order: 'rgb', scale: [1e4, 1e4, 1e4], offset: [0, 0, 0] } as const;
    expect((await fitInput(network, strong)).warning).toMatch(
      /its class scores spread over .*; ImageNet's mean and deviation would fit better/,
    );
    expect((await fitInput(network, null)).preprocessing).toEqual(imagenet);
  });
});

describe('what is not certain', () => {
  test('a guess from names is said, unless a batch norm confirms it', async () => {
    const { graph, weights, input } = tinyNetwork();
    const guessed = { ...input, isGuess: true };
    const network = new VisionNetwork({ name: 'tiny', graph, weights, input: guessed });
    expect(await fitInput(network)).toEqual({
      preprocessing: input.preprocessing,
      warning: expect.stringMatching(
        /does not say .*: assuming -1 to 1, as networks with .*; set `range` if/,
      ),
    });
    expect((await fitInput(network, range(0, 1))).warning).toBeNull();
  });

  test.each([
    ['boxes', 'relu', 32],
    ['an embedding', undefined, 128],
  ])('%s judge no range', async (_, activation, outputs) => {
    const weights = new MemoryWeights(
      new Map([['w', { shape: [3, outputs], data: new Float32Array(3 * outputs).fill(1e6) }]]),
    );
    const g = new GraphBuilder([16, 16, 3]);
    const pooled = g.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: false }, g.input);
    const dense = g.add({ kind: 'dense', kernel: param(weights, 'w') }, pooled);
    g.layer('out', activation ? g.add({ kind: 'activation', name: 'relu' }, dense) : dense);
    const input = { height: 16, width: 16, channels: 3, preprocessing: null };
    const network = new VisionNetwork({ name: 'odd', graph: g.build(), weights, input });
    expect((await fitInput(network, range(0, 1))).warning).toBeNull();
  });

  test('what is usual for the kind of file is assumed', async () => {
    const { graph, weights, input } = tinyNetwork();
    const assumed = async (usual: object) => {
      const unsaid = { ...input, preprocessing: null, ...usual };
      return (await fitInput(new VisionNetwork({ name: 'tiny', graph, weights, input: unsaid })))
        .preprocessing;
    };
    expect(await assumed({})).toEqual(imagenet);
    expect(await assumed({ usualRange: '0..1' })).toEqual(range(0, 1));
  });

  test('a batch norm behind dense layers sees pictures of their size', async () => {
    const array = (shape: number[], value: number) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    });
    const weights = new MemoryWeights(
      new Map([
        ['w', array([768, 4], 1 / 768)],
        ['mean', array([4], 0.45)],
        ['variance', array([4], 0.01)],
      ]),
    );
    const g = new GraphBuilder([16, 16, 3]);
    const flat = g.add({ kind: 'flatten', order: 'hwc' }, g.input);
    const dense = g.add({ kind: 'dense', kernel: param(weights, 'w') }, flat);
    const op = {
      kind: 'affine',
      mean: param(weights, 'mean'),
      variance: param(weights, 'variance'),
    } as const;
    g.layer('norm', g.add(op, dense));
    const input = { height: 16, width: 16, channels: 3, preprocessing: null };
    const network = new VisionNetwork({ name: 'dense', graph: g.build(), weights, input });
    const read = vi.spyOn(weights, 'read');
    const fit = await fitInput(network);
    expect(fit.preprocessing).toEqual(range(0, 1));
    const reads = read.mock.calls.length;
    expect(reads).toBeGreaterThan(0);
    // What was asked before is known; of another range something else is said.
    expect(await fitInput(network)).toEqual(fit);
    expect(read).toHaveBeenCalledTimes(reads);
    expect((await fitInput(network, range(0, 255))).warning).toMatch(/the wrong range/);
  });
});
