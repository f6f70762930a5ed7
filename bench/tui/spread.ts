/** @file Figures of repeated measurements. */

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Rounded to hundredths. */
export function spread(values: readonly number[]): Spread {
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    least: round(Math.min(...values)),
    median: round(median(values)),
    most: round(Math.max(...values)),
  };
}
