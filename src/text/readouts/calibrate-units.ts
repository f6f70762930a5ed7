/** @file `superstim calibrate` as a library function: what is usual for units. */
import { asJson, eventClock, type Run } from '../../runs/events.js';
import type { CalibrationSource } from './calibration.js';
import { calibrate, resolveUnits, type SessionOptions } from './session.js';

export interface CalibratedUnit extends CalibrationSource {
  unit: string;
  /** Mean of the measure, in its own unit. */
  mean: number;
  standard_deviation: number;
}

export interface CalibrationResult {
  model: string;
  units: CalibratedUnit[];
}

/**
 * Counts mean and standard deviation of each unit over calibration text, or finds them where they were kept; of a sum, those
 * of its units.
 *
 * @yields progress, and `calibrated` for each unit
 * @throws UsageError for a unit that the model does not have, before anything is computed
 */
export async function* calibrateUnits(
  options: SessionOptions & { readonly units: readonly string[] },
): Run<CalibrationResult> {
  const event = eventClock();
  const units = options.units.map((name) => resolveUnits(name, { ...options, reference: 'none' }));
  yield event({ kind: 'started', task: 'calibrate', unit: null, method: null });
  const calibration = yield* calibrate(options, event);
  const found: CalibratedUnit[] = [];
  for (const { objective } of units) {
    options.signal?.throwIfAborted();
    for await (const { kind, ...counted } of calibration.report(objective)) {
      yield event({ kind, ...counted });
      found.push(counted);
    }
  }
  const result: CalibrationResult = { model: options.model.name, units: found };
  yield event({ kind: 'finished', reason: 'done', result: asJson(result) });
  return result;
}
