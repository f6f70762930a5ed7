import { describe, expect, it } from 'vitest';
import { runOn } from '../../test/helpers/engines.js';
import { randomModel, tinyConfigs, trainedLora } from '../../test/helpers/random-model.js';
import type { WeightLookup } from '../engine/weights/weights.js';
import { forward } from '../text/lm/transformer.js';
import { firstLora, type Lora, loraLayout, loraLookup, mergedWeights } from './lora.js';

const ids = { shape: [2, 5], data: Int32Array.of(0, 3, 7, 2, 9, 0, 12, 1, 1, 4) };

describe.each(Object.entries(tinyConfigs))('adapters of %s', (_, config) => {
  const { spec, weights } = randomModel(config, 2);
  const layout = loraLayout(spec, { rank: 3, alpha: 5, targets: ['all-linear'] });
  const logits = async (change: (frozen: WeightLookup) => WeightLookup, source = weights) =>
    (
      await runOn(
        'onnx',
        (inputs, frozen) => ({ logits: forward(spec, change(frozen), { ids: inputs.ids! }).at('logits') }),
        { ids },
        source,
      )
    ).logits!.data;
  const adapted = async (lora: Lora) => {
    const inputs = Object.fromEntries(
      [...lora.arrays].map(([name, { shape, data }]) => [name, { shape, data }]),
    );
    const { logits } = await runOn(
      'onnx',
      (inputs, frozen) => ({
        logits: forward(
          spec,
          loraLookup(layout, (name) => inputs[name]!, frozen),
          { ids: inputs.ids! },
        ).at('logits'),
      }),
      { ids, ...inputs },
      weights,
    );
    return logits!.data;
  };

  it('change nothing at the start', async () => {
    const before = await logits((frozen) => frozen);
    for (const [i, value] of (await adapted(firstLora(layout, 1))).entries())
      expect(value).toBeCloseTo(before[i]!, 5);
  });

  it('in a graph and merged into the weights are the same model', async () => {
    const lora = trainedLora(firstLora(layout, 1));
    const inGraph = await adapted(lora);
    const merged = await logits((frozen) => frozen, mergedWeights(weights, lora));
    for (const [i, value] of merged.entries()) expect(value).toBeCloseTo(inGraph[i]!, 3);
    const before = await logits((frozen) => frozen);
    expect(Math.max(...merged.map((value, i) => Math.abs(value - before[i]!)))).toBeGreaterThan(0.1);
  });
});

describe('targets', () => {
  const { spec } = randomModel(tinyConfigs.llama);
  const modules = (...targets: string[]) => loraLayout(spec, { rank: 1, alpha: 1, targets }).modules;

  it('are groups or ends of names, each matrix once', () => {
    expect(modules('all-linear')).toHaveLength(3 * 7);
    expect(modules('attention', 'q_proj')).toHaveLength(3 * 4);
    expect(modules('mlp')).toEqual(modules('gate_proj', 'up_proj', 'mlp.down_proj'));
    expect(modules('layers.1.self_attn.v_proj')).toEqual(['model.layers.1.self_attn.v_proj']);
  });

  it('that name nothing are refused, with what there is', () => {
    expect(() => modules('q_porj')).toThrow(
      /no matrix .* "q_porj": .*self_attn.q_proj.*did you mean "q_proj"/,
    );
    expect(() => modules('embed_tokens')).toThrow(/embed_tokens/);
  });
});
