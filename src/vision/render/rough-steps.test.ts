import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { hasDotProducts } from '../../engine/dot-products.js';
import { MemoryWeights, type WeightArray } from '../../engine/weights/weights.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { GraphBuilder } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { VisionNetwork } from '../network.js';
import { parseUnitList } from '../objectives/unit-list.js';
import { range } from '../preprocess.js';
import { renderUnits } from './render.js';
import type { RenderOptions, RenderState } from './render-options.js';
import { canBeRough } from './rough-steps.js';

const SIZE = 96;
const STEPS = 11;

/** Four convolutions, the middle ones large enough to gain by 8 bits. */
function largeNetwork(): VisionNetwork {
  const random = Random.of(5, 'large network');
  const array = (scale: number, ...shape: number[]): WeightArray => ({
    shape,
    data: random.normals(shape.reduce((a, b) => a * b)).map((x) => scale * x),
  });
  const sizes = { a: [3, 128], b: [128, 128], c: [128, 128], d: [128, 4] } as const;
  const weights = new MemoryWeights(
    new Map(
      Object.entries(sizes).flatMap(([name, [read, made]]): [string, WeightArray][] => [
        [`${name}/kernel`, array(Math.sqrt(2 / 9 / read), 3, 3, read, made)],
        [`${name}/bias`, array(0.1, made)],
      ]),
    ),
  );
  const window = { size: [3, 3], strides: [1, 1], dilations: [1, 1], padding: 'same' } as const;
  const g = new GraphBuilder([SIZE, SIZE, 3]);
  let x = g.input;
  for (const name of Object.keys(sizes)) {
    const [kernel, bias] = ['kernel', 'bias'].map((part) => param(weights, `${name}/${part}`));
    const conv = g.add({ kind: 'conv', kernel: kernel!, bias: bias!, window, groups: 1 }, x);
    x = g.layer(name, g.add({ kind: 'activation', name: 'relu' }, conv));
  }
  const input = { height: SIZE, width: SIZE, channels: 3, preprocessing: range(-1, 1) };
  return new VisionNetwork({ name: 'large', graph: g.build(), weights, input });
}

async function render(options: Partial<RenderOptions> = {}) {
  const network = largeNetwork();
  const events: RunEvent[] = [];
  const units = parseUnitList('d:0', network);
  const run = renderUnits({ network, units, size: SIZE, steps: STEPS, transforms: [], ...options });
  const result = await finishRun(run, (event) => events.push(event));
  return { ...result.units[0]!, events };
}

describe('canBeRough', () => {
  it('leaves the first step, every eighth, those with frames and the last to float32', () => {
    const rough = (steps: number, frameEvery = Number.POSITIVE_INFINITY) =>
      Array.from({ length: steps }, (_, i) => i).filter((step) => canBeRough(step, steps, frameEvery));
    expect(rough(14)).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
    expect(rough(14, 5)).toEqual([1, 2, 3, 5, 6, 7, 10, 11]);
    expect([rough(14, 1), rough(3), rough(1)]).toEqual([[], [], []]);
    expect(rough(100).at(-1)).toBe(87 + 2);
  });
});

describe.skipIf(!hasDotProducts())('steps in 8 bits (where the processor has instructions for them)', () => {
  it('report nearly what exact steps do, end where those do, and can be resumed', async () => {
    let kept: RenderState | undefined;
    const saveState = (state: RenderState) => {
      kept ??= structuredClone(state);
    };
    const rough = await render({ stateEvery: 6, saveState });
    const { activation } = rough;
    const reported = rough.events.flatMap((event) =>
      event.kind === 'step' ? [event.metrics.activation] : [],
    );
    expect(reported).toEqual(activation.curve);

    const resumed = await render({ from: kept! });
    expect(kept!.batch.step).toBe(6);
    expect(resumed.picture).toEqual(rough.picture);
    expect(resumed.activation.curve).toEqual(activation.curve);

    const exact = (await render({ exact: true })).activation;
    expect([activation.start, activation.curve[0]]).toEqual([exact.start, exact.curve[0]]);
    // The same picture, seen in 8 bits.
    expect(activation.curve[1]).not.toBe(exact.curve[1]);
    for (const [i, value] of exact.curve.entries())
      expect(Math.abs(activation.curve[i]! / value - 1), `step ${i}`).toBeLessThan(0.1);
    expect(activation.final).not.toBe(exact.final);
    expect(Math.abs(activation.final / exact.final - 1)).toBeLessThan(0.05);
  });
});
