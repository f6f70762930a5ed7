/** @file What calibration says of one unit, as results carry it. */

/** Where statistics come from. */
export interface CalibrationSource {
  readonly source: 'model' | 'prior' | 'corpus';
  /** Positions counted. */
  readonly tokens: number;
  /** True when nothing had to be counted. */
  readonly cached: boolean;
}

export interface CalibratedUnit extends CalibrationSource {
  unit: string;
  /** Mean and standard deviation of the measure, in its own unit. */
  mean: number;
  standard_deviation: number;
  /** Their standard errors; null where the statistics came with the model. */
  mean_error: number | null;
  standard_deviation_error: number | null;
}
