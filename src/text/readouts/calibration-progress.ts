/** @file What calibration reports while it runs. */
import type { EventBody } from '../../runs/events.js';

type Progress = Extract<EventBody, { kind: 'progress' }>;

/**
 * Starts the clock of a phase.
 *
 * @param phase - a few words: `drawing samples`
 * @returns the report after so many sequences of so many
 */
export function calibrationPhase(phase: string): (done: number, total: number) => Progress {
  const start = performance.now();
  return (done, total) => {
    const rate = done > 0 ? (done * 1000) / (performance.now() - start) : null;
    return {
      kind: 'progress',
      source: 'preparation',
      budget: 'sequences',
      done,
      total,
      rate,
      rate_unit: 'sequences',
      seconds_left: rate === null ? null : (total - done) / rate,
      note: `calibrating, once for this model: ${phase}`,
    };
  };
}
