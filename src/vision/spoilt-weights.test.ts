/** Weights with NaN are found at the first look, which is the only one. */
import { expect, it, vi } from 'vitest';
import { tinyNetwork, tinyWeights } from '../../test/vision/tiny-network.js';
import { MemoryWeights } from '../engine/weights/weights.js';
import { soundNetwork } from './spoilt-weights.js';

it('looks through a weight once, whatever it finds', () => {
  const arrays = tinyWeights();
  arrays.get('two/bias')!.data[3] = Number.NaN;
  const network = tinyNetwork().withWeights(new MemoryWeights(arrays));
  const read = vi.spyOn(network.weights, 'read');
  const units = [2, 3].map((channel) => [{ layer: 'two', channels: [channel] }]);
  const found = soundNetwork(network, units).spoiltBy;
  expect(found).toEqual([undefined, 'two/bias']);
  const reads = read.mock.calls.length;
  expect(reads).toBeGreaterThan(0);
  expect(soundNetwork(network, units).spoiltBy).toEqual(found);
  expect(read).toHaveBeenCalledTimes(reads);
});
