import { describe, expect, it } from 'vitest';
import { tinyNetwork } from '../../../test/vision/tiny-network.js';
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import type * as tf from '../../engine/functions/tfjs.js';
import { evaluateObjective, resolveObjective } from './objective.js';
import { parseExpression } from './parse.js';

const network = tinyNetwork();

describe('terms', () => {
  const side = 12;
  const x = new Random(5).uniforms(2 * side * side * 3);

  /** Value of a one-term objective by rows, and the layers it could be computed from. */
  async function values(text: string) {
    const row = parseExpression(text);
    const objective = resolveObjective(network, [row, row]);
    const compiled = await compile(
      ({ x }, weights) => {
        const pictures = x as tf.Tensor4D;
        const [two, scores] = network.forward(weights, pictures, [{ layer: 'two' }, { layer: 'scores' }]);
        return { ...evaluateObjective(objective, weights, pictures, pictures), two: two!, scores: scores! };
      },
      { inputs: { x: { shape: [2, side, side, 3] } }, weights: network.weights },
    );
    const result = (await compiled.run({ x })) as Record<string, Float32Array>;
    compiled.dispose();
    return result;
  }
  const half = side * side * 8;
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

  it('are what they say', async () => {
    const { total, two } = await values('two:3');
    const maps = [two!.slice(0, half), two!.slice(half)].map((map) => Array.from(map));
    const channel = (map: readonly number[], c: number) => map.filter((_, k) => k % 8 === c);
    expect(total![1]).toBeCloseTo(mean(channel(maps[1]!, 3)), 5);
    expect((await values('two:3@2,7')).total![0]).toBeCloseTo(maps[0]![(2 * side + 7) * 8 + 3]!, 5);
    expect((await values('neuron(two:3)')).total![0]).toBeCloseTo(maps[0]![(6 * side + 6) * 8 + 3]!, 5);
    expect((await values('deepdream(two)')).total![1]).toBeCloseTo(mean(maps[1]!.map((a) => a * a)), 5);
    const sum = await values('0.5*two:3 - two:1*(two:2 + 2) - 3*l1');
    const [a, b, c] = [3, 1, 2].map((number) => mean(channel(maps[0]!, number))) as [number, number, number];
    const grey = mean(Array.from(x.slice(0, x.length / 2), (value) => Math.abs(value - 0.5)));
    expect(sum.total![0]).toBeCloseTo(0.5 * a - b * (c + 2) - 3 * grey, 4);
    expect(sum.activation![0]).toBeCloseTo(0.5 * a - b * (c + 2), 4);
  });

  it('logits are the scores before the softmax', async () => {
    const logits = await Promise.all([0, 1, 2, 3].map(async (k) => (await values(`logit:${k}`)).total![0]!));
    const { scores } = await values('logit:0');
    const exponentials = logits.map(Math.exp);
    const total = exponentials.reduce((p, q) => p + q, 0);
    for (const [k, value] of exponentials.entries()) expect(value / total).toBeCloseTo(scores![k]!, 5);
  });

  it('penalties of the picture', async () => {
    const at = (n: number, y: number, column: number, c: number) =>
      x[((n * side + y) * side + column) * 3 + c]!;
    let [down, across] = [0, 0];
    for (let y = 0; y < side; y++) {
      for (let column = 0; column < side; column++) {
        for (let c = 0; c < 3; c++) {
          if (y > 0) down += Math.abs(at(1, y, column, c) - at(1, y - 1, column, c));
          if (column > 0) across += Math.abs(at(1, y, column, c) - at(1, y, column - 1, c));
        }
      }
    }
    const steps = side * (side - 1) * 3;
    const tv = await values('two:0 - two:0 + tv');
    expect(tv.total![1]).toBeCloseTo((down + across) / steps, 4);
    const square = mean(Array.from(x.slice(0, x.length / 2), (value) => (value - 0.5) ** 2));
    expect((await values('two:0 - two:0 + l2')).total![0]).toBeCloseTo(Math.sqrt(square), 4);
  });
});
