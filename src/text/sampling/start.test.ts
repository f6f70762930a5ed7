import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import type { DrawJob } from './draw-jobs.js';
import { nothingKnown } from './known.js';
import { Start } from './start.js';

const LOGITS = Float32Array.of(0.5, 2, -1, 1, 3);
const BANNED = 4;
const start = new Start({}, LOGITS, [BANNED]);
const job = (changes: Partial<DrawJob>): DrawJob => ({
  ...{ row: 0, parent: null, read: 0, from: 1, until: 3, end: 3, sharpness: 1 },
  ...changes,
});
const total = Math.log(LOGITS.reduce((sum, logit) => sum + Math.exp(logit), 0));

describe('Start', () => {
  it.each([1, 2])('draws what stands behind it as often as it should, sharpness %s', (sharpness) => {
    const random = new Random(3);
    const counts = new Float64Array(LOGITS.length);
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const row = Int32Array.of(0, 9, 9);
      expect(start.begin(job({ sharpness }), row, undefined, random)).toEqual(
        job({ sharpness, read: 1, from: 2 }),
      );
      counts[row[1]!]!++;
    }
    const weights = LOGITS.map((logit, token) => (token === BANNED ? 0 : Math.exp(logit * sharpness)));
    const sum = weights.reduce((a, b) => a + b);
    for (const [token, count] of counts.entries())
      expect(Math.abs(count / draws - weights[token]! / sum)).toBeLessThan(0.015);
    expect(counts[BANNED]).toBe(0);
  });

  it('leaves a token alone that is not to be drawn, and tells how probable it is', () => {
    const row = Int32Array.of(0, 3, 9);
    const known = nothingKnown(3);
    expect(start.begin(job({ from: 2 }), row, known, new Random(1))).toEqual(job({ from: 2, read: 1 }));
    expect([...row]).toEqual([0, 3, 9]);
    expect(known.logProbs[1]).toBeCloseTo(LOGITS[3]! - total, 5);
  });
});
