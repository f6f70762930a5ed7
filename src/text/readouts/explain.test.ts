import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import {
  type ExplainedModel,
  explainTexts as explain,
  explainingEach,
  valuesAt,
} from '../../../test/helpers/explaining.js';
import { UsageError } from '../../core/errors.js';
import { finishRun } from '../../runs/events.js';
import { openSubject } from '../lm/subject.js';
import type { SequenceScore } from '../names.js';
import { scoreText } from '../score.js';
import { ablationDivergence } from './ablation.js';
import { type OpenExplainer, openExplainer } from './explain.js';
import { Probe } from './probe.js';
import { calibrate, resolveUnits, type Session } from './session.js';

const { models, session } = explainingEach();

const text = 'It was a dark and stormy night';
const longText = `${text}; the rain fell in torrents, and the wind swept up`;

const open = (options: Session, unit: string): Promise<OpenExplainer> =>
  finishRun(openExplainer({ ...options, unit }));

describe('an explanation agrees with the score', () => {
  const cases: [ExplainedModel, string, SequenceScore, Partial<Session>][] = [
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
