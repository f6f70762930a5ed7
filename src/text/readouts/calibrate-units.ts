/** @file `superstim calibrate` as a library function: what is usual for units. */
import type { FrameReport } from '../../core/frame-report.js';
import { asJson, eventClock, type Run } from '../../runs/events.js';
import { frameOf } from '../lm/frame.js';
import type { CalibratedUnit, CalibrationSource } from './calibrated-unit.js';
import { allGroups } from './kinds.js';
import { calibrate, effectGroups, groupsOf, resolveUnits, type Session } from './session.js';
import { unitContext } from './units.js';

/** All units of a layer and kind. */
export interface CalibratedGroup extends CalibrationSource {
  /** `heads 3 delta`, `neurons 3 post` */
  group: string;
  /** How many units it has. */
  size: number;
}

export interface CalibrationResult {
  model: string;
  frame: FrameReport;
  units: CalibratedUnit[];
  /** Where all units of the model were asked for. */
  groups: CalibratedGroup[];
}

export interface CalibrateOptions extends Session {
  readonly units: readonly string[];
  /** All heads, neurons and experts of the model. */
  readonly all?: boolean;
}

/**
 * Counts mean and standard deviation of units over calibration text, all at once, or finds them where they were kept; of a
 * sum, those of its units.
 *
 * @yields progress, and `calibrated` for each unit that was named
 * @throws UsageError for a unit that the model does not have, before anything is computed
 */
export async function* calibrateUnits(options: CalibrateOptions): Run<CalibrationResult> {
  const event = eventClock();
  const { model, measure, all = false } = options;
  const units = options.units.map((name) => resolveUnits(name, { ...options, reference: 'none' }));
  const layers = all ? allGroups(unitContext(model, measure)) : [];
  yield event({ kind: 'started', task: 'calibrate', unit: null, method: null });
  const groups = [...units.flatMap((unit) => [...groupsOf(unit), ...effectGroups(unit)]), ...layers];
  const calibration = yield* calibrate({ ...options, groups }, event);
  const result: CalibrationResult = { model: model.name, frame: frameOf(model), units: [], groups: [] };
  for (const { objective } of units) {
    for await (const { kind, ...counted } of calibration.report(objective)) {
      yield event({ kind, ...counted });
      result.units.push(counted);
    }
  }
  for (const group of layers)
    result.groups.push({ group: group.key, size: group.size, ...(await calibration.sourceOf(group)) });
  yield* calibration.takeWarnings().map(event);
  yield event({ kind: 'finished', reason: 'done', result: asJson(result) });
  return result;
}
