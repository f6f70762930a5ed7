import { describe, expect, it } from 'vitest';
import { tinyNetwork, tinyWeights } from '../../../test/vision/tiny-network.js';
import { UsageError } from '../../core/errors.js';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { MemoryWeights } from '../../engine/weights/weights.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { GraphBuilder } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { VisionNetwork } from '../network.js';
import { parseExpression } from '../objectives/parse.js';
import { diversity } from '../objectives/penalties.js';
import { parseUnitList } from '../objectives/unit-list.js';
import { plainPicture } from '../picture.js';
import { checkInput } from '../planes.js';
import { preprocess, range } from '../preprocess.js';
import { octaveSizes } from './octaves.js';
import { renderUnits } from './render.js';
import type { RenderOptions } from './render-options.js';

const network = tinyNetwork();
const render = (units: string, options: Partial<RenderOptions> = {}, onEvent?: (event: RunEvent) => void) =>
  finishRun(
    renderUnits({ network, units: parseUnitList(units, network), size: 24, steps: 12, ...options }),
    onEvent,
  );

/** Mean over the map of a channel of layer `two`. */
async function channelMean(
  picture: Float32Array,
  channel: number,
  preprocessing = network.input.preprocessing!,
): Promise<number> {
  const compiled = await compile(
    ({ x }, weights) => {
      const seen = preprocess(x as tf.Tensor4D, preprocessing);
      return { mean: tf.mean(network.forward(weights, seen, [{ layer: 'two', channels: [channel] }])[0]!) };
    },
    { inputs: { x: { shape: [1, 24, 24, 3] } }, weights: network.weights },
  );
  const { mean } = await compiled.run({ x: picture });
  compiled.dispose();
  return mean![0]!;
}

describe('renderUnits', () => {
  it.each(['fft', 'pixel', 'maco'] as const)(
    '%s: climbs, and reports what the picture does',
    async (name) => {
      const { units } = await render('two:0', { parameterization: name });
      const [{ picture, activation, dead }] = units as [(typeof units)[0]];
      expect(dead).toBe(false);
      expect(activation.curve).toHaveLength(12);
      expect(activation.final).toBeGreaterThan(activation.start * 1.2);
      expect(activation.final).toBeCloseTo(await channelMean(picture.data, 0), 5);
      expect(Math.min(...picture.data)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...picture.data)).toBeLessThanOrEqual(1);
    },
  );

  it('one seed gives one picture, another seed another', async () => {
    const [a, b, c] = [await render('two:0'), await render('two:0'), await render('two:0', { seed: 1 })];
    expect(a.units[0]!.picture.data).toEqual(b.units[0]!.picture.data);
    expect(a.units[0]!.picture.data).not.toEqual(c.units[0]!.picture.data);
  });

  it('a batch climbs as each of its units does alone', async () => {
    const still = { start: 'black', transforms: [], parameterization: 'pixel' } as const;
    const together = await render('two:0-3', still);
    const alone = await render('two:2', still);
    const [a, b] = [together.units[2]!.picture.data, alone.units[0]!.picture.data];
    expect(Math.max(...a.map((value, k) => Math.abs(value - b[k]!)))).toBeLessThan(1e-3);
  });

  it('wakes a silent channel, and names one that stays silent', async () => {
    const warnings: string[] = [];
    const grey = { width: 24, height: 24, channels: 3, data: new Float32Array(24 * 24 * 3).fill(0.5) };
    const { units } = await render('two:5-6', { start: grey, steps: 40, transforms: [] }, (event) => {
      if (event.kind === 'warning') warnings.push(event.message);
    });
    expect(units.map(({ activation }) => activation.start)).toEqual([0, 0]);
    expect(units[0]!.activation.final).toBeGreaterThan(0);
    expect(units.map(({ dead }) => dead)).toEqual([false, true]);
    expect(warnings).toEqual([
      expect.stringMatching(/^two:6 is silent in all \d+ steps: try more steps or a larger rate$/),
    ]);
  });

  it('lifts a unit out of the dip of a GELU', async () => {
    const weights = new MemoryWeights(
      new Map([
        ['kernel', { shape: [1, 1, 1, 2], data: Float32Array.of(4, 4) }],
        ['bias', { shape: [2], data: Float32Array.of(-3.4, -1) }],
      ]),
    );
    const g = new GraphBuilder([32, 32, 1]);
    const window = { size: [1, 1], strides: [1, 1], dilations: [1, 1], padding: 'same' } as const;
    const kernel = param(weights, 'kernel');
    const conv = g.add({ kind: 'conv', kernel, bias: param(weights, 'bias'), window, groups: 1 }, g.input);
    g.layer('neurons', g.add({ kind: 'activation', name: 'gelu' }, conv));
    const input = { height: 32, width: 32, channels: 1, preprocessing: range(0, 1, 1) };
    const dipped = new VisionNetwork({ name: 'dip', graph: g.build(), weights, input });
    const units = parseUnitList('neurons:0-1', dipped);
    const start = plainPicture(24, 24, 1, 0.4);
    const climb = { parameterization: 'pixel', optimizer: 'adam', rate: 0.03, steps: 60 } as const;
    const options = { network: dipped, units, start, transforms: [], ...climb } as const;
    const { units: rendered } = await finishRun(renderUnits({ ...options, size: 24 }));
    expect(rendered[0]!.activation.start).toBeLessThan(0);
    for (const { activation, dead } of rendered) expect([activation.final > 0, dead]).toEqual([true, false]);
  });

  it('leaves out a channel that NaN spoils, names the weight, and draws the others as ever', async () => {
    const spoilt = (...channels: number[]): VisionNetwork => {
      const weights = tinyWeights();
      for (const channel of channels) weights.get('two/kernel')!.data[8 * 20 + channel] = Number.NaN;
      return tinyNetwork().withWeights(new MemoryWeights(weights));
    };
    const warnings: string[] = [];
    const still = { start: 'black', transforms: [] } as const;
    const { units } = await render('two:2-4', { ...still, network: spoilt(3) }, (event) => {
      if (event.kind === 'warning') warnings.push(event.message);
    });
    const others = ['two:2', 'two:4'].flatMap((unit) => parseUnitList(unit, network));
    const sound = await render('two:2', { ...still, units: others });
    expect(units).toEqual(sound.units);
    const named = /^two:3 cannot be drawn: the weight "two\/kernel" .* holds NaN or infinity$/;
    expect(warnings).toEqual([expect.stringMatching(named)]);
    await expect(render('two:3', { ...still, network: spoilt(3, 5) })).rejects.toThrow(named);
  });

  it('keeps the picture when it is cancelled', async () => {
    const controller = new AbortController();
    const { units, interrupted, cost } = await render(
      'two:0',
      { steps: 1000, signal: controller.signal },
      (event) => {
        if (event.kind === 'step' && event.step === 5) controller.abort();
      },
    );
    expect([interrupted, cost.steps]).toEqual([true, 5]);
    expect(units[0]!.activation.curve).toHaveLength(5);
    expect(units[0]!.activation.final).toBeGreaterThan(units[0]!.activation.start);
  });

  it('reports every frame from the start to the end', async () => {
    const saved: number[] = [];
    const frames: number[] = [];
    await render(
      'two:0',
      { steps: 4, frameEvery: 1, saveFrame: async (step) => `${saved.push(step)}.png` },
      (event) => {
        if (event.kind === 'frame') frames.push(event.step);
      },
    );
    expect([saved, frames]).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
  });

  it('takes the first step before it measures the start', async () => {
    const events: RunEvent[] = [];
    const options: Partial<RenderOptions> = {
      steps: 1,
      start: 'black',
      saveFrame: async (step) => `${step}.png`,
    };
    const moved = await render('one:0', options, (event) => events.push(event));
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind === 'step' || kind === 'frame');
    expect(kinds).toEqual(['step', 'frame', 'frame']);
    const stayed = await render('one:0', { steps: 0, start: 'black' });
    const [start, unmoved] = [moved, stayed].map(({ units }) => units[0]!.activation.start);
    expect(start).toBe(unmoved);
    expect(moved.units[0]!.activation.final).not.toBe(start);
  });

  it('goes up through octaves', async () => {
    const size = (width: number, height: number) => ({ width, height });
    expect(octaveSizes(size(98, 70), 3)).toEqual([size(50, 36), size(70, 50), size(98, 70)]);
    expect(octaveSizes(size(200, 40), 4)).toEqual([size(200, 40)]);
    const { units } = await render('two:0', { size: size(60, 48), octaves: 2 });
    const { picture } = units[0]!;
    expect([picture.width, picture.height, units[0]!.activation.curve.length]).toEqual([60, 48, 12]);
    expect(units[0]!.activation.final).toBeGreaterThan(units[0]!.activation.start);
  });

  it('shows a grey picture to every plane, and takes no colours for two', async () => {
    const options = { input: 'grey', transforms: [], preprocessing: range(0, 1) } as const;
    const { picture, activation } = (await render('two:0', options)).units[0]!;
    expect(picture.channels).toBe(1);
    const everyPlane = Float32Array.from({ length: 24 * 24 * 3 }, (_, k) => picture.data[Math.floor(k / 3)]!);
    expect(activation.final).toBeCloseTo(await channelMean(everyPlane, 0, range(0, 1)), 5);
    expect(() => checkInput(2, 'colors', 'go')).toThrow(
      /^go reads pictures of 2 planes, too few for colours/,
    );
  });

  it('takes the start of a picture that is shown as it is from the first step', async () => {
    const start = plainPicture(24, 24, 3, 0.6);
    const { units } = await render('two:0', { start, steps: 2, transforms: [], parameterization: 'pixel' });
    const { activation } = units[0]!;
    expect(activation.start).toBe(activation.curve[0]);
    expect(activation.start).toBeCloseTo(await channelMean(start.data, 0), 5);
    expect(activation.start).not.toBe(activation.final);
  });

  it('starts from a picture, and from black', async () => {
    const grey = { width: 24, height: 24, channels: 3, data: new Float32Array(24 * 24 * 3).fill(0.3) };
    const frames: Float32Array[] = [];
    const saveFrame: RenderOptions['saveFrame'] = async (_step, units) =>
      `${frames.push(units[0]!.picture.data)}.png`;
    for (const start of [grey, 'black'] as const) await render('two:0', { start, steps: 1, saveFrame });
    expect(frames[0]!.every((value) => Math.abs(value - 0.3) < 1e-3)).toBe(true);
    expect(frames[2]!.every((value) => value < 0.03)).toBe(true);
  });

  it('diversity makes variants less alike', async () => {
    const likenessOf = async (unit: string) => {
      const { units } = await finishRun(
        renderUnits({
          network,
          units: [parseExpression(unit)],
          size: 24,
          variants: 3,
          steps: 60,
          transforms: [],
        }),
      );
      const x = Float32Array.from(units.flatMap(({ picture }) => [...picture.data]));
      const compiled = await compile(
        ({ x }, weights) => {
          const seen = preprocess(x as tf.Tensor4D, network.input.preprocessing!);
          return { diversity: diversity(network.forward(weights, seen, [{ layer: 'one' }])[0]!) };
        },
        { inputs: { x: { shape: [3, 24, 24, 3] } }, weights: network.weights },
      );
      const { diversity: values } = await compiled.run({ x });
      compiled.dispose();
      return Math.max(...(values as Float32Array));
    };
    const [without, enough] = [await likenessOf('two:0'), await likenessOf('two:0 - 20*diversity(one)')];
    expect(enough).toBeLessThan(without - 0.1);
  });

  it('says what is wrong before computing', async () => {
    await expect(render('tow:0')).rejects.toThrow(/no layer "tow"; did you mean "two"/);
    await expect(render('two:8')).rejects.toThrow(/channels 0 to 7, not 8/);
    await expect(render('two:0@30,2')).rejects.toThrow(/is outside of it/);
    await expect(render('logit:4')).rejects.toThrow(/channels 0 to 3, not 4/);
    await expect(render('tv - l2')).rejects.toThrow(/names no unit/);
    await expect(render('two:0', { start: 'black', parameterization: 'maco' })).rejects.toThrow(UsageError);
  });
});

describe('stalled units', () => {
  it('are named, as the range may be wrong', async () => {
    const warnings: string[] = [];
    const stuck = { start: 'black', transforms: [], steps: 16, rate: 1e-9 } as const;
    const { stalled } = await render('two:0-1', stuck, (event) => {
      if (event.kind === 'warning') warnings.push(event.message);
    });
    expect(stalled).toEqual(['two:0', 'two:1']);
    expect(warnings[0]).toMatch(/^two:0 (hardly moved|sank), from .* in 16 steps: .*`range`/);
    expect((await render('two:0', { steps: 16 })).stalled).toEqual([]);
    // A penalty may be why.
    expect((await render('two:0 - tv', stuck)).stalled).toEqual([]);
  });
});
