import { describe, expect, it } from 'vitest';
import { naturalMagnitudes } from './natural-spectrum.js';

/** Magnitude at a frequency given in cycles a picture. */
function at(size: number, channel: number, fy: number, fx: number): number {
  const columns = size / 2 + 1;
  return naturalMagnitudes(size, size, 3)[(channel * size + ((fy + size) % size)) * columns + fx]!;
}

describe('naturalMagnitudes', () => {
  it('gives what was measured over pictures of 64 pixels, within 15 %', () => {
    // [channel, fy, fx, mean magnitude / 64], as tools/natural-spectrum.ts counts them
    const measured = [
      [0, 0, 2, 14.1375],
      [0, 8, 0, 3.4024],
      [0, -11, 11, 1.1003],
      [1, 16, 0, 0.8862],
      [2, 0, 4, 5.5015],
      [2, 22, 22, 0.6315],
    ] as const;
    for (const [channel, fy, fx, mean] of measured) {
      const ratio = at(64, channel, fy, fx) / (64 * mean);
      expect(Math.abs(ratio - 1), `${channel} at ${fy},${fx}`).toBeLessThan(0.15);
    }
  });

  it('leaves the mean colour out, and is the same for a frequency and its mirror image', () => {
    expect(at(64, 0, 0, 0)).toBe(0);
    expect(at(64, 1, 5, 9)).toBe(at(64, 1, -5, 9));
  });

  it('knows frequencies in cycles a pixel, whatever the size', () => {
    expect(at(256, 2, 16, 32) / 256).toBeCloseTo(at(64, 2, 4, 8) / 64, 4);
  });

  it('grows without a bend toward frequencies lower than were measured', () => {
    const slopes = [1, 2, 4].map((f) => Math.log(at(256, 0, 0, f) / at(256, 0, 0, 2 * f)));
    expect(slopes[0]).toBeGreaterThan(0.5);
    for (const slope of slopes) expect(slope).toBeCloseTo(slopes[0]!, 1);
  });

  it('takes the axis of light for grey pictures', () => {
    const colours = naturalMagnitudes(6, 5, 3);
    expect(naturalMagnitudes(6, 5, 1)).toEqual(colours.subarray(0, 6 * 3));
    expect(naturalMagnitudes(6, 5, 4, 'colors').subarray(0, 3 * 6 * 3)).toEqual(colours);
    expect(naturalMagnitudes(6, 5, 3, 'planes').subarray(6 * 3, 2 * 6 * 3)).toEqual(
      colours.subarray(0, 6 * 3),
    );
  });
});
