import { describe, expect, it } from 'vitest';
import { tinyNetwork } from '../../../test/vision/tiny-network.js';
import { MemoryWeights } from '../../engine/weights/weights.js';
import { GraphBuilder } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { VisionNetwork } from '../network.js';
import { resolveObjective } from '../objectives/objective.js';
import { parseExpression } from '../objectives/parse.js';
import { checkPositions, checkSize, defaultSize, sizeLike } from './fitting-size.js';

/** A dense layer behind all pixels, so that no other size can be read. */
function denseNetwork(height: number, width: number): VisionNetwork {
  const weights = new MemoryWeights(
    new Map([['kernel', { shape: [height * width, 2], data: new Float32Array(height * width * 2) }]]),
  );
  const g = new GraphBuilder([height, width, 1]);
  const flat = g.add({ kind: 'flatten', order: 'hwc' }, g.input);
  g.layer('scores', g.add({ kind: 'dense', kernel: param(weights, 'kernel') }, flat));
  const input = { height, width, channels: 1, preprocessing: null };
  return new VisionNetwork({ name: 'dense', graph: g.build(), weights, input });
}

const size = (width: number, height: number) => ({ width, height });
const terms = (network: VisionNetwork, unit: string) =>
  resolveObjective(network, [parseExpression(unit)]).terms;

describe('sizes that fit', () => {
  it("are the network's own proportions by default, in 128 to 224 pixels square", () => {
    expect(defaultSize(tinyNetwork())).toEqual(size(128, 128));
    expect(defaultSize(denseNetwork(32, 128))).toEqual(size(256, 64));
  });

  it('are those of a picture to start from, where they can be read', () => {
    const [tiny, dense] = [tinyNetwork(), denseNetwork(20, 20)];
    expect(sizeLike(tiny, terms(tiny, 'two:0'), size(1600, 400))).toEqual(size(256, 64));
    expect(sizeLike(dense, terms(dense, 'scores:0'), size(1600, 400))).toEqual(size(128, 128));
  });

  it('are refused where a picture would be squeezed', () => {
    const [tiny, dense] = [tinyNetwork(), denseNetwork(20, 10)];
    checkSize(tiny, terms(tiny, 'two:0'), size(50, 31));
    checkSize(dense, terms(dense, 'scores:0'), size(41, 82));
    expect(() => checkSize(dense, terms(dense, 'scores:0'), size(320, 200))).toThrow(
      'scores of dense can only be computed for pictures of 10x20, which one of 320x200 does not fit: leave `size` out, or keep to these proportions',
    );
  });

  it('have the positions that units name, where the network reads them or is shown its own size', () => {
    const tiny = tinyNetwork();
    for (const unit of ['two:0', 'two:0@31,63', 'neuron(two:0)'])
      checkPositions(tiny, terms(tiny, unit), size(64, 32));
    expect(() => checkPositions(tiny, terms(tiny, 'two:0 - two:1@32,0'), size(64, 32))).toThrow(
      'the map of layer "two" is 32 x 64 here: @32,0 is outside of it',
    );
    const dense = denseNetwork(20, 20);
    expect(() => checkPositions(dense, terms(dense, 'scores:0@1,1'), size(64, 64))).toThrow(
      'layer "scores" has no positions: leave the @ out',
    );
  });
});
