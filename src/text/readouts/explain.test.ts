/** Explanations against scores and brute force, on random models and the embedded one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import { UsageError } from '../../core/errors.js';
import type { Explanation } from '../../core/explanation.js';
import { compile } from '../../engine/compile.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { headOutputWeights, neuronOutputWeights } from '../lm/matrices.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import type { Place } from '../lm/places.js';
import { openSubject } from '../lm/subject.js';
import { loadTokenizer } from '../lm/tokenizer.js';
import { forward } from '../lm/transformer.js';
import { logitDirections } from '../lm/unembed.js';
import type { SequenceScore } from '../names.js';
import { scoreText } from '../score.js';
import { ablationDivergence } from './ablation.js';
import { type OpenExplainer, openExplainer } from './explain.js';
import { headGroup } from './head.js';
import { Probe } from './probe.js';
import { calibrate, resolveUnits, type Session } from './session.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-explain-'));
afterAll(() => rmSync(place, { recursive: true }));
const calibrationText = join(place, 'calibration.txt');
writeFileSync(
  calibrationText,
  'Call me Ishmael. Some years ago, never mind how long, I went to sea. '.repeat(20),
);

const books = `${embeddedFolder}/books-lm`;
const models: Record<string, TextModel> = {};
const random = async (family: 'llama' | 'gpt2') => {
  const sizes = { vocab_size: 4096, max_position_embeddings: 40, n_positions: 40 };
  const { spec, weights } = randomModel({ ...tinyConfigs[family], ...sizes });
  const tokenizer = await loadTokenizer(books, { vocab: 4096, bos: 0 });
  return { name: family, folder: place, spec, weights, tokenizer };
};
beforeAll(async () => {
  models.llama = await random('llama');
  models.gpt2 = await random('gpt2');
  models['books-lm'] = await loadTextModel(books);
});

const text = 'It was a dark and stormy night';
const longText = `${text}; the rain fell in torrents, and the wind swept up`;

const session = (model: string, changes: Partial<Session> = {}): Session => ({
  model: models[model]!,
  engine: 'onnx',
  measure: 'delta',
  at: 'max',
  reference: 'layer',
  calibrationText,
  seed: 0,
  ...changes,
});

const open = (options: Session, unit: string): Promise<OpenExplainer> =>
  finishRun(openExplainer({ ...options, unit }));

async function explain(options: Session, unit: string, ...texts: string[]): Promise<Explanation[]> {
  const { explainer, dispose } = await open(options, unit);
  const explanations = [];
  for (const each of texts) explanations.push(await explainer.explain(each, { ablate: true }));
  await dispose();
  return explanations;
}

/** Values at a place for one text, and its width. */
async function valuesAt(model: TextModel, ids: readonly number[], at: Place) {
  const program = await compile(({ x }, w) => ({ value: forward(model.spec, w, { ids: x! }).at(at) }), {
    inputs: { x: { shape: [1, ids.length], dtype: 'int32' } },
    weights: model.weights,
  });
  const { value } = await program.run({ x: ids });
  program.dispose();
  return Array.from(value!);
}

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

describe('an explanation agrees with the score', () => {
  const cases: [string, string, SequenceScore, Partial<Session>][] = [
    ['llama', 'L1.H2', 'max', {}],
    ['llama', 'L2.N3', 'mean', { reference: 'all' }],
    ['gpt2', 'L1.H1', 'last', { measure: 'logits' }],
    ['gpt2', 'L0.N4:pre', 'max', { reference: 'L1.N2,L1.H0,logit: the' }],
    ['gpt2', 'logit: night', 'max', {}],
    ['books-lm', 'L2.H5', 'max', { measure: 'attention' }],
  ];
  it.each(cases)('%s %s, %s', async (model, unit, at, changes) => {
    const options = session(model, { at, ...changes });
    // A short text after a long one: a graph of the same length, then one of another.
    const explanations = await explain(options, unit, text, longText, 'It was');
    for (const explanation of explanations) {
      const score = await finishRun(scoreText({ ...options, text: explanation.text, units: [unit] }));
      const [own] = score.units;
      expect(explanation.tokens).toEqual(score.tokens);
      expect(explanation.token_ids).toEqual(score.token_ids);
      expect(explanation.peak.position).toBe(own!.peak.position);
      expect(explanation.rank).toBe(own!.rank);
      const past = own!.z.slice(1) as number[];
      const scores = {
        max: Math.max(...past),
        last: past.at(-1)!,
        mean: past.reduce((a, b) => a + b) / past.length,
      };
      expect(explanation.score).toBeCloseTo(scores[at], 3);
      expect([explanation.z[0], explanation.logprobs[0]]).toEqual([null, null]);
      const close = (actual: readonly number[], expected: readonly number[]) =>
        expect(relativeError(actual, expected)).toBeLessThan(2e-4);
      close(explanation.z.slice(1) as number[], own!.z.slice(1) as number[]);
      close(explanation.raw, own!.raw);
      close(explanation.logprobs.slice(1) as number[], score.logprobs.slice(1) as number[]);
      expect(explanation.cross_entropy).toBeCloseTo(score.cross_entropy, 3);
      if (own!.margin === null) expect(explanation.margin).toBeNull();
      else expect(explanation.margin).toBeCloseTo(own!.margin, 3);
    }
  });

  it('names rivals with what each scores over the same text', async () => {
    const options = session('llama', { reference: 'L1.N2,L0.H1,L2.H0,L1.H3,logit: night' });
    const [explanation] = await explain(options, 'L1.H2', text);
    const names = explanation!.rivals.map(({ unit }) => unit);
    expect(names).toHaveLength(5);
    const score = await finishRun(scoreText({ ...options, text, units: names }));
    for (const [i, { z }] of explanation!.rivals.entries()) expect(z).toBeCloseTo(score.units[i]!.peak.z!, 3);
    expect(explanation!.rivals.map(({ z }) => z)).toEqual(
      explanation!.rivals.map(({ z }) => z).sort((a, b) => b - a),
    );
  });

  it('names units of the same layer', async () => {
    const [explanation] = await explain(session('llama'), 'L2.N3:pre', text);
    for (const { unit } of explanation!.rivals) expect(unit).toMatch(/^L2\.N\d:pre$/);
  });
});

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
  ])('by %s %s', async (name, unit) => {
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

describe('substitutions', () => {
  it.each([
    ['llama', 'L1.H2', 'max'],
    ['books-lm', 'L2.N100', 'last'],
  ] as const)(
    "are the prior's likeliest tokens and the score with each (%s %s, %s)",
    async (name, unitName, at) => {
      const model = models[name]!;
      const { spec, tokenizer } = model;
      const options = session(name, { at });
      const [explanation] = await explain(options, unitName, text);
      const { token_ids: ids, substitutions } = explanation!;
      expect(substitutions.map((list) => list.length)).toEqual([0, ...Array(ids.length - 1).fill(4)]);

      const logits = await valuesAt(model, ids, 'logits');
      const excluded = new Set(tokenizer.excludedTokens());
      const units = resolveUnits(unitName, options);
      const calibration = await finishRun(calibrate(options));
      const subject = openSubject(model, 'onnx');
      const probe = await Probe.create({ subject, ...units, calibration, at });
      for (let position = 1; position < ids.length; position++) {
        const before = logits.slice((position - 1) * spec.vocab, position * spec.vocab);
        const likeliest = before
          .map((value, id) => ({ value, id }))
          .filter(({ id }) => !excluded.has(id) && id !== ids[position])
          .sort((a, b) => b.value - a.value)
          .slice(0, 4)
          .map(({ id }) => id);
        expect(substitutions[position]!.map(({ token }) => token)).toEqual(
          likeliest.map((id) => tokenizer.tokenString(id)),
        );
        const rows = likeliest.flatMap((id) => ids.with(position, id));
        const { z } = await probe.score(Int32Array.from(rows), ids.length, 4);
        expect(
          relativeError(
            substitutions[position]!.map((x) => x.value),
            z,
          ),
        ).toBeLessThan(2e-4);
      }
      await probe.dispose();
    },
  );

  it('are left out when not asked for', async () => {
    const { explainer, dispose } = await open(session('gpt2'), 'L0.H1');
    const { substitutions, ablation } = await explainer.explain(text, { replacements: 0 });
    expect(substitutions.flat()).toEqual([]);
    expect(ablation).toBeNull();
    await dispose();
  });
});

it('reports what ablation loses', async () => {
  const options = session('gpt2');
  const [explanation] = await explain(options, 'L0.H1', text);
  const calibration = await finishRun(calibrate(options));
  const { objective } = resolveUnits('L0.H1', options);
  const expected = await ablationDivergence(
    { subject: openSubject(models.gpt2!, 'onnx'), objective, calibration },
    Int32Array.from(explanation!.token_ids),
  );
  expect(explanation!.ablation!.length).toBe(expected.length);
  expect(relativeError(explanation!.ablation!, expected)).toBeLessThan(1e-3);
});

it('refuses texts that are empty or too long', async () => {
  const { explainer, dispose } = await open(session('gpt2'), 'L0.H1');
  expect(() => explainer.explain('')).toThrow(UsageError);
  expect(() => explainer.explain(text.repeat(20))).toThrow(/context of 40 tokens/);
  await dispose();
});
