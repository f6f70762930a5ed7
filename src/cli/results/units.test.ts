import { expect, it } from 'vitest';
import { tinyNetwork } from '../../../test/vision/tiny-network.js';
import { VisionNetwork } from '../../vision/network.js';
import { parseExpression } from '../../vision/objectives/parse.js';
import { formatUnits, visionUnits } from './units.js';

const { graph, weights, input } = tinyNetwork();
const [one] = graph.named;
const network = new VisionNetwork({
  name: 'odd',
  graph: { ...graph, named: [{ ...one!, name: 'a "b": c' }] },
  weights,
  input,
  unreachable: new Map([
    ['top', 'TopK is not supported'],
    ['index', 'TopK is not supported'],
    ['loop', 'a loop'],
    ['boxes', 'NonMaxSuppression is not supported'],
  ]),
});
const units = { model: 'odd', ...visionUnits(network) };

it('prints names as --unit reads them', () => {
  const printed = /to (".*?":7)/.exec(formatUnits(units))![1]!;
  expect(parseExpression(printed)).toMatchObject({ unit: { layer: 'a "b": c', channel: 7 } });
});

it('counts layers that cannot be computed, with the first reasons, or lists them', () => {
  expect(formatUnits(units).split('\n').at(-1)).toBe(
    '4 layers cannot be computed (--all lists them): TopK is not supported; a loop; and 1 more',
  );
  const all = formatUnits(units, true).split('\n').slice(-5);
  expect(all[1]).toMatch(/^top +TopK is not supported$/);
  expect(all[4]).toMatch(/^boxes +NonMaxSuppression/);
  expect(units.unreachable).toHaveLength(4);
  const sound = { model: 'tiny', ...visionUnits(tinyNetwork()) };
  expect(formatUnits(sound)).not.toMatch(/cannot/);
});
