/** @file How far values are from their reference. */
import { expect } from 'vitest';

/** Largest difference over the reference's largest magnitude; 0 for equal zeros, infinite where either is not a number. */
export function relativeError(actual: ArrayLike<number>, reference: ArrayLike<number>): number {
  expect(actual.length).toBe(reference.length);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < reference.length; i++) {
    const error = Math.abs(actual[i]! - reference[i]!);
    difference = Math.max(difference, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    scale = Math.max(scale, Math.abs(reference[i]!));
  }
  return difference === 0 ? 0 : difference / scale;
}
