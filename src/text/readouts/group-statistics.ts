/** @file What is usual for the units of a group. */

/** Statistics of the units of a group. */
export interface GroupStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** Largest value seen. */
  readonly max: Float32Array;
  /** Mean of the group's `centre`, `[size]`, for groups that are centred on it. */
  readonly centre?: Float32Array;
  /** Standard error of the mean; absent from statistics that ship with a model. */
  readonly meanError?: Float32Array;
  /** Standard error of the deviation, absent with it. */
  readonly deviationError?: Float32Array;
}
