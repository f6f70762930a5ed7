import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { explainTexts as explain, explainingEach, valuesAt } from '../../../test/helpers/explaining.js';
import { compile } from '../../engine/compile.js';
import { finishRun } from '../../runs/events.js';
import { headOutputWeights, neuronOutputWeights } from '../lm/matrices.js';
import type { TextModel } from '../lm/model.js';
import { forward } from '../lm/transformer.js';
import { logitDirections } from '../lm/unembed.js';
import { headGroup } from './head.js';
import { calibrate } from './session.js';

const { models, session } = explainingEach();

const text = 'It was a dark and stormy night';

/** Everything that needs weights alone: W_O of the head's, rows of W_out, the unembedding. */
async function matricesOf({ spec, weights }: TextModel, layer: number) {
  const program = await compile(
    (_, w) => ({
      heads: headOutputWeights(spec, w, layer),
      neurons: neuronOutputWeights(spec, w, layer),
      vocab: logitDirections(spec, w),
    }),
    { inputs: {}, weights },
  );
  const { heads, neurons, vocab } = await program.run({});
  program.dispose();
  return { heads: heads!, neurons: neurons!, vocab: vocab! };
}

const norm = (x: readonly number[]) => Math.hypot(...x);
const times = (x: ArrayLike<number>, matrix: ArrayLike<number>, columns: number): number[] =>
  Array.from({ length: columns }, (_, j) =>
    Array.from(x).reduce((sum, value, i) => sum + value * matrix[i * columns + j]!, 0),
  );

describe('attention', () => {
  it('is the pattern at the peak, and the norm of what each source brought', async () => {
    // Four query heads share two key-value heads.
    const model = models.llama!;
    const [layer, head] = [1, 3];
    const [explanation] = await explain(session('llama', { measure: 'raw' }), `L${layer}.H${head}`, text);
    const { token_ids: ids, peak, attention } = explanation!;
    const { spec } = model;
    const pattern = await valuesAt(model, ids, `blocks.${layer}.attn.hook_pattern`);
    const row = (head * ids.length + peak.position) * ids.length;
    expect(relativeError(attention!.weight, pattern.slice(row, row + ids.length))).toBeLessThan(1e-4);

    const program = await compile(
      ({ x }, w) => ({ v: forward(spec, w, { ids: x! }).cache().values[layer]! }),
      { inputs: { x: { shape: [1, ids.length], dtype: 'int32' } }, weights: model.weights },
    );
    const { v } = await program.run({ x: ids });
    const { heads } = await matricesOf(model, layer);
    const size = spec.dHead * spec.dModel;
    const output = heads.subarray(head * size, (head + 1) * size);
    const brought = ids.map((_, source) => {
      const at = (Math.floor(head / 2) * ids.length + source) * spec.dHead;
      return times(v!.subarray(at, at + spec.dHead), output, spec.dModel).map(
        (x) => x * attention!.weight[source]!,
      );
    });
    expect(relativeError(attention!.contribution, brought.map(norm))).toBeLessThan(1e-4);
    const together = brought[0]!.map((_, i) => brought.reduce((sum, part) => sum + part[i]!, 0));
    expect(norm(together)).toBeCloseTo(peak.raw, 3);
  });

  it('is null for units that are no heads', async () => {
    const [explanation] = await explain(session('gpt2'), 'L0.N4', text);
    expect(explanation!.attention).toBeNull();
  });
});

describe('logits written', () => {
  it.each([
    ['gpt2', 'L1.H2'],
    ['gpt2', 'L0.N4'],
    ['llama', 'L1.H2'],
    ['books-lm', 'L1.N40'],
  ] as const)('by %s %s', async (name, unit) => {
    const model = models[name]!;
    const { spec, tokenizer } = model;
    const options = session(name);
    const [explanation] = await explain(options, unit, text);
    const { token_ids: ids, peak, logits } = explanation!;
    const [, layer, kind, index] = /L(\d)\.([HN])(\d+)/
      .exec(unit)!
      .map((x, i) => (i === 2 ? x : Number(x))) as [unknown, number, string, number];
    const { heads, neurons, vocab } = await matricesOf(model, layer);
    let written: number[];
    if (kind === 'N') {
      const post = await valuesAt(model, ids, `blocks.${layer}.mlp.hook_post`);
      const activation = post[peak.position * spec.dMlp + index]!;
      written = Array.from(
        neurons.subarray(index * spec.dModel, (index + 1) * spec.dModel),
        (x) => x * activation,
      );
    } else {
      const z = await valuesAt(model, ids, `blocks.${layer}.attn.hook_z`);
      const calibration = await finishRun(calibrate(options));
      const { centre } = await calibration.statistics(headGroup(spec, layer, 'delta'));
      const at = (peak.position * spec.heads + index) * spec.dHead;
      const own = Array.from({ length: spec.dHead }, (_, i) => z[at + i]! - centre![index * spec.dHead + i]!);
      const size = spec.dHead * spec.dModel;
      written = times(own, heads.subarray(index * size, (index + 1) * size), spec.dModel);
    }
    const stream = await valuesAt(model, ids, `blocks.${spec.layers - 1}.hook_resid_post`);
    const here = stream.slice(peak.position * spec.dModel, (peak.position + 1) * spec.dModel);
    const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
    const centred = (x: readonly number[]) =>
      spec.norm.kind === 'layer' ? x.map((value) => value - mean(x)) : x;
    const scale = Math.sqrt(mean(centred(here).map((x) => x * x)) + spec.norm.eps);
    const finalNorm = model.weights.read(
      spec.norm.kind === 'layer' ? 'transformer.ln_f.weight' : 'model.norm.weight',
    );
    const normed = centred(written).map((x, i) => (x / scale) * finalNorm[i]!);
    const change = Array.from({ length: spec.vocab }, (_, token) =>
      normed.reduce((sum, x, i) => sum + x * vocab[token * spec.dModel + i]!, 0),
    );
    const sorted = change
      .map((value, id) => ({ id, value: value - mean(change) }))
      .sort((a, b) => b.value - a.value);
    const compare = (actual: readonly { token: string; value: number }[], expected: typeof sorted) => {
      expect(
        relativeError(
          actual.map((x) => x.value),
          expected.map((x) => x.value),
        ),
      ).toBeLessThan(1e-3);
      expect(actual[0]!.token).toBe(tokenizer.tokenString(expected[0]!.id));
    };
    compare(logits!.top, sorted.slice(0, 10));
    compare(logits!.bottom, sorted.slice(-10).reverse());
  });

  it('are null for units that write nothing', async () => {
    const [explanation] = await explain(session('gpt2'), 'logit: night', text);
    expect([explanation!.logits, explanation!.ablation]).toEqual([null, null]);
  });
});
