/** Which texts of a frontier are explained. */
import { describe, expect, it } from 'vitest';
import type { ScoredText } from '../../core/scored-text.js';
import { chooseFinalists } from './finalists.js';

const text = (cross_entropy: number, z: number, ...token_ids: number[]): ScoredText => ({
  text: token_ids.join(' '),
  token_ids,
  cross_entropy,
  z,
  raw: z,
  margin: null,
  rank: null,
});

describe('chooseFinalists', () => {
  it('begins with the strongest fluent text and leaves out weak and unlikely ones', () => {
    const frontier = [text(1, 0.5, 1), text(3, 4, 2), text(5, 8, 3), text(9, 20, 4)];
    expect(chooseFinalists(frontier, 8)).toEqual([frontier[2], frontier[1]]);
  });

  it('prefers texts that differ', () => {
    const frontier = [text(3, 7, 1, 2, 4), text(3.1, 7.1, 7, 8, 9), text(3.2, 8, 1, 2, 3)];
    expect(chooseFinalists(frontier, 2)).toEqual([frontier[2], frontier[1]]);
  });

  it('spreads over the frontier', () => {
    const frontier = Array.from({ length: 21 }, (_, i) => text(1 + i / 10, 5 + i / 10, i));
    const places = chooseFinalists(frontier, 3).map((chosen) => frontier.indexOf(chosen));
    expect(places).toEqual([20, 0, 10]);
  });

  it('takes what there is', () => {
    expect(chooseFinalists([], 4)).toEqual([]);
    const gibberish = [text(8, 3, 1)];
    expect(chooseFinalists(gibberish, 4)).toEqual(gibberish);
  });
});
