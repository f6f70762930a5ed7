/** Which tokens carry a text, and groups of texts by them. */
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../core/explanation.js';
import { carriers, clusterTexts, substitutionDrops } from './clusters.js';

/** Explanation of a text whose score falls by `drops[token]` when the token is replaced. */
function explained(text: string, score: number, drops: Record<string, number>): Explanation {
  const tokens = ['<s>', ...(text.match(/ ?\S+/g) ?? [])];
  const substitutions = tokens.map((token, i) => {
    const drop = drops[token.trim()] ?? 0;
    const value = score - drop;
    return i === 0 ? [] : [value - 0.5, value + 0.5].map((value) => ({ token: ' it', value }));
  });
  const position = tokens.length - 1;
  const zeros = tokens.map(() => 0);
  return {
    unit: 'L0.N0',
    text,
    tokens,
    token_ids: zeros,
    logprobs: zeros,
    raw: zeros,
    z: zeros,
    peak: { position, raw: 0, z: score },
    score,
    cross_entropy: 3,
    margin: null,
    rank: null,
    rivals: [],
    attention: null,
    logits: null,
    substitutions,
    ablation: null,
  };
}

describe('carriers', () => {
  const explanation = explained('the old man said', 6, { old: 1, man: 4, said: 2, the: -3 });

  it('are the tokens whose replacement costs a good part of the score', () => {
    expect(substitutionDrops(explanation)).toEqual([null, -3, 1, 4, 2]);
    expect(carriers(explanation)).toEqual([
      { position: 3, offset: -1, token: ' man', drop: 4 },
      { position: 4, offset: 0, token: ' said', drop: 2 },
      { position: 2, offset: -2, token: ' old', drop: 1 },
    ]);
  });

  it('are none where nothing is lost', () => {
    expect(carriers(explained('the old man', 6, { old: -1 }))).toEqual([]);
  });
});

describe('clusterTexts', () => {
  it('separates two things that a unit responds to', () => {
    const clusters = clusterTexts([
      explained('the king was dead', 9, { king: 5, dead: 1 }),
      explained('on Monday we went', 5, { Monday: 4 }),
      explained('her king and the queen', 7, { King: 0, king: 3, queen: 1 }),
      explained('a monday in May', 4, { monday: 3 }),
      explained('King of France', 6, { King: 4 }),
    ]);
    expect(clusters.map(({ texts }) => texts.map(({ z }) => z))).toEqual([
      [9, 7, 6],
      [5, 4],
    ]);
    expect(clusters[0]!.tokens.map(({ token, value }) => [token, value])).toEqual([
      [' king', 4],
      [' queen', 1 / 3],
    ]);
    expect(clusters[1]!.tokens).toEqual([{ token: ' Monday', value: 3.5 }]);
  });

  it('puts texts together in which no single token matters', () => {
    const clusters = clusterTexts([
      explained('so so so', 5, {}),
      explained('to be or not', 6, {}),
      explained('the king', 4, { king: 2 }),
    ]);
    expect(clusters.map(({ texts }) => texts.length)).toEqual([2, 1]);
    expect(clusters[0]!.tokens).toEqual([]);
  });

  it('of nothing is nothing', () => {
    expect(clusterTexts([])).toEqual([]);
  });
});
