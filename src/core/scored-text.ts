/** @file A text that was scored. Field names are those of the JSON that the program prints (`token_ids`). */

/** A sequence and what it does to the unit; a row of the frontier in every JSON the program prints. */
export interface ScoredText {
  text: string;
  /** Without BOS. */
  token_ids: number[];
  /** Nats a token under the prior. */
  cross_entropy: number;
  /** The measure in its own unit at the peak; of a head's residual delta its plain L2 norm. */
  raw: number;
  /** The measure in standard deviations (sigmas) above the calibration mean. */
  z: number;
  /** Sigmas above the strongest unit of the reference class; null when the class is empty. */
  margin: number | null;
  /** 1 = the strongest of the reference class and the unit; null when the class is empty. */
  rank: number | null;
  /** The same against the rivals that the search was not allowed to work against; only of large classes. */
  held_out?: { margin: number; rank: number };
}
