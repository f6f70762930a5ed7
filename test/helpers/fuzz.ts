/** @file Runs a reader on damaged inputs and counts how it answers. */

import { UserError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';

/** Reads one damaged input, drawn with `random`. Throws UserError when it refuses it; anything else is a fault. */
export type Attempt = (random: Random) => unknown;

export interface FuzzReport {
  readonly inputs: number;
  readonly right: number;
  readonly refused: number;
  /** The slowest input, seconds, and which it was. */
  readonly slowest: number;
  readonly slowestInput: number;
  /** Largest resident memory of the process so far, MB. */
  readonly peak: number;
  /** What was no right result and no refusal, or took over 10 s: `fuzz(attempt, { seed, only })` repeats one. */
  readonly faults: readonly { readonly only: number; readonly what: string }[];
}

const SLOW_SECONDS = 10;

/** A refusal is one line that a terminal shows as it is. */
const isSentence = (message: string): boolean =>
  message.length < 2000 && !/[\p{Cc}\p{Bidi_C}]/u.test(message);

/**
 * @param count - how many inputs
 * @param only - this input alone, counted from 0
 */
export async function fuzz(
  attempt: Attempt,
  { count = 0, seed, only }: { count?: number; seed: number; only?: number },
): Promise<FuzzReport> {
  const faults: { only: number; what: string }[] = [];
  const inputs = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  let [right, refused, slowest, slowestInput] = [0, 0, 0, 0];
  for (const i of inputs) {
    const began = performance.now();
    try {
      await attempt(Random.of(seed, `input ${i}`));
      right++;
    } catch (error) {
      if (error instanceof UserError && isSentence(error.message)) refused++;
      else faults.push({ only: i, what: String((error as Error)?.stack ?? error).slice(0, 2000) });
    }
    const seconds = (performance.now() - began) / 1000;
    if (seconds > SLOW_SECONDS) faults.push({ only: i, what: `took ${seconds.toFixed(1)} s` });
    if (seconds > slowest) [slowest, slowestInput] = [seconds, i];
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  return { inputs: inputs.length, right, refused, slowest, slowestInput, peak, faults };
}
