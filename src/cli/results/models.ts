/** @file Models and devices, as `superstim models` prints them. */
import { formatBytes } from '../../core/format.js';
import { formatTable } from '../../core/table.js';
import type { Device } from '../../engine/engine-names.js';
import type { Hardware } from '../../jobs/hardware.js';
import type { Paint } from '../output.js';

export interface DeviceState {
  readonly device: Device;
  /** Why it cannot be used here; null where it can. */
  readonly trouble: string | null;
  /** Processors or GPUs that it can be; a software GPU is not listed. */
  readonly hardware: readonly Hardware[];
  /** Whether drafts and most steps of pictures can be in half precision there. */
  readonly half_precision: boolean;
}

export function formatDevices(states: readonly DeviceState[]): string {
  const described = ({ name, memory }: Hardware) =>
    memory === null ? name : `${name} (${formatBytes(memory)})`;
  return formatTable(
    states.map(({ device, trouble, hardware, half_precision }) => [
      device,
      hardware.map(described).join(', '),
      trouble ?? (half_precision ? 'can be used, also in half precision' : 'can be used'),
    ]),
  );
}

type Models = ReturnType<typeof import('../../hub/list-models.js').listModels>;

export function formatModels({ embedded, cached, cache }: Models, paint: Paint): string {
  const section = (title: string, models: Models['embedded'], empty: string) => {
    const rows = models.map(({ name, architecture, bytes, complete, dictionary }) => [
      `  ${name}`,
      architecture ?? 'unknown',
      complete ? formatBytes(bytes) : `${formatBytes(bytes)}, incomplete`,
      dictionary === null ? '' : `latents: ${dictionary}#0`,
    ]);
    return `${paint('bold', title)}\n${rows.length > 0 ? formatTable(rows) : `  ${empty}`}`;
  };
  return [
    section('Embedded', embedded, '(none)'),
    section(`Hugging Face cache (${cache})`, cached, '(none; --model org/name downloads one)'),
  ].join('\n\n');
}

type Suggested = typeof import('../../hub/suggested-models.js').suggestedModels;

export function formatSuggested({ pictures, text }: Suggested, paint: Paint): string {
  const section = (title: string, command: string, models: Suggested['text']) => {
    const rows = models.map(({ name, unit, about }) => [
      `  superstim ${command} --model ${name} --unit ${unit}`,
      about,
    ]);
    return `${paint('bold', title)}\n${formatTable(rows)}`;
  };
  return [section('Pictures', 'image', pictures), section('Text', 'text', text)].join('\n\n');
}
