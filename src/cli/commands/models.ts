/** @file `superstim models`: what `--model` can name without a download. */
import { Command } from 'commander';
import { formatBytes, formatTable } from '../../core/format.js';
import { type Device, deviceNames } from '../../engine/engine-names.js';
import type { CommonOptions } from '../options.js';
import { Output, type Paint } from '../output.js';

export function modelsCommand(): Command {
  return new Command('models')
    .description('list the embedded models and those in the Hugging Face cache')
    .option('--devices', 'list what --device can name instead')
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim models\n  $ superstim models --json | jq .cached[].name',
    )
    .action(async (options: CommonOptions & { devices?: true }) => {
      if (options.devices) {
        const states = await listDevices();
        new Output(options).result(states, () => formatDevices(states));
        return;
      }
      const { listModels } = await import('../../hub/list-models.js');
      const models = listModels();
      new Output(options).result(models, (paint) => formatModels(models, paint));
    });
}

interface DeviceState {
  readonly device: Device;
  /** Why it cannot be used here; null where it can. */
  readonly trouble: string | null;
}

async function listDevices(): Promise<DeviceState[]> {
  const { deviceTrouble } = await import('../../engine/compile.js');
  const states: DeviceState[] = [];
  for (const device of deviceNames) states.push({ device, trouble: await deviceTrouble(device) });
  return states;
}

function formatDevices(states: readonly DeviceState[]): string {
  return formatTable(states.map(({ device, trouble }) => [device, trouble ?? 'can be used']));
}

type Models = ReturnType<typeof import('../../hub/list-models.js').listModels>;

function formatModels({ embedded, cached, cache }: Models, paint: Paint): string {
  const section = (title: string, models: Models['embedded'], empty: string) => {
    const rows = models.map(({ name, architecture, bytes, complete }) => [
      `  ${name}`,
      architecture ?? 'unknown',
      complete ? formatBytes(bytes) : `${formatBytes(bytes)}, incomplete`,
    ]);
    return `${paint('bold', title)}\n${rows.length > 0 ? formatTable(rows) : `  ${empty}`}`;
  };
  return [
    section('Embedded', embedded, '(none)'),
    section(`Hugging Face cache (${cache})`, cached, '(none; --model org/name downloads one)'),
  ].join('\n\n');
}
