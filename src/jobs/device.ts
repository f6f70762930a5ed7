/** @file Where a job computes. */
import { UsageError, UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import {
  type Device,
  type DeviceChoice,
  deviceNames,
  type Engine,
  type EngineName,
  engineOn,
} from '../engine/engine-names.js';

/** The fields of a job that say what computes, and where. */
interface EngineFields {
  readonly engine: EngineName;
  readonly device: DeviceChoice;
}

/**
 * The device that a job asks for. `cpu` needs no check, so that the engine is not loaded for it.
 *
 * @throws UsageError when the engine has no such device; UserError when there is none here
 */
export async function deviceOf({ engine, device }: EngineFields): Promise<Device> {
  if (device === 'cpu') return device;
  if (engine !== 'onnx') {
    if (device === 'auto') return 'cpu';
    throw new UsageError(
      `the engine ${engine} computes on the cpu only: leave out ${field('device')} ${device}, or use ${field('engine')} onnx`,
    );
  }
  const { deviceTrouble } = await import('../engine/compile.js');
  if (device === 'auto') {
    for (const name of deviceNames) if (name !== 'cpu' && (await deviceTrouble(name)) === null) return name;
    return 'cpu';
  }
  const trouble = await deviceTrouble(device);
  if (trouble !== null) throw new UserError(trouble);
  return device;
}

/** What computes a job. Throws as `deviceOf` does. */
export const engineOf = async (job: EngineFields): Promise<Engine> =>
  engineOn(job.engine, await deviceOf(job));
