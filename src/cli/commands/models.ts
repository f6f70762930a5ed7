/** @file `superstim models`: what `--model` can name without a download. */
import { Command } from 'commander';
import { deviceNames, engineOn } from '../../engine/engine-names.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';
import type { DeviceState } from '../results/models.js';

export function modelsCommand(): Command {
  return new Command('models')
    .description('list the embedded models and those in the Hugging Face cache')
    .option('--suggest', 'list some models of the hub to begin with instead')
    .option('--devices', 'list what --device can name instead')
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim models\n  $ superstim models --json | jq .cached[].name',
    )
    .action(async (options: CommonOptions & { devices?: true; suggest?: true }) => {
      const { formatDevices, formatModels, formatSuggested } = await import('../results/models.js');
      if (options.devices) {
        const states = await listDevices();
        new Output(options).result(states, () => formatDevices(states));
        return;
      }
      if (options.suggest) {
        const { suggestedModels } = await import('../../hub/suggested-models.js');
        new Output(options).result(suggestedModels, (paint) => formatSuggested(suggestedModels, paint));
        return;
      }
      const { listModels } = await import('../../hub/list-models.js');
      const models = listModels();
      new Output(options).result(models, (paint) => formatModels(models, paint));
    });
}

async function listDevices(): Promise<DeviceState[]> {
  const { deviceTrouble, traitsHere } = await import('../../engine/compile.js');
  const { hardwareOf } = await import('../../jobs/hardware.js');
  const states: DeviceState[] = [];
  for (const device of deviceNames) {
    const trouble = await deviceTrouble(device);
    const half_precision =
      trouble === null && (await traitsHere(engineOn('onnx', device))).rough === 'float16';
    states.push({ device, trouble, hardware: await hardwareOf(device), half_precision });
  }
  return states;
}
