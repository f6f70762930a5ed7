/** @file `--device`: where the engine computes, chosen once before a command runs. */
import { type Command, Option } from 'commander';
import { UsageError } from '../core/errors.js';
import { deviceNames, type EngineName } from '../engine/engine-names.js';

/** `auto`: the GPU, if there is one. */
const deviceChoices = [...deviceNames, 'auto'] as const;
type DeviceChoice = (typeof deviceChoices)[number];

/** `--device`. */
export function deviceOption(): Option {
  return new Option('--device <device>', 'where the engine onnx computes (auto: on a GPU, if there is one)')
    .choices(deviceChoices)
    .default('cpu');
}

/** Makes a command's device the one that computes. The default needs nothing, so that the engine is not loaded for it. */
export async function chooseDevice(command: Command): Promise<void> {
  const { device = 'cpu', engine } = command.opts<{ device?: DeviceChoice; engine?: EngineName }>();
  if (device === 'cpu') return;
  if (engine && engine !== 'onnx')
    throw new UsageError(
      `the engine ${engine} computes on the cpu only: leave out --device ${device}, or use --engine onnx`,
    );
  const { deviceTrouble, setDevice } = await import('../engine/compile.js');
  if (device !== 'auto') return setDevice(device);
  for (const gpu of deviceNames.slice(1)) if ((await deviceTrouble(gpu)) === null) return setDevice(gpu);
}
