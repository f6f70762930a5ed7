/** @file `superstim units`: what a model has that can be probed. */

import { Command } from 'commander';
import { UserError } from '../../core/errors.js';
import { foreignFormat } from '../../core/foreign-formats.js';
import { finishRun } from '../../runs/events.js';
import { textDefaults } from '../../text/names.js';
import { type CommonOptions, familyOption } from '../options.js';
import { Output } from '../output.js';
import { showProgress } from '../progress.js';
import type { Units } from '../results/units.js';

export function unitsCommand(): Command {
  return new Command('units')
    .description('tell what a model is, and list its units')
    .argument('[model]', 'an embedded model, a folder or file, or a hub id', textDefaults.model)
    .option('--all', 'also each layer of a network that cannot be computed, with the reason')
    .addOption(familyOption())
    .addHelpText('after', '\nExamples:\n  $ superstim units\n  $ superstim units ./mobilenet/model.json')
    .action(async (name: string, options: CommonOptions & { family?: string; all?: boolean }) => {
      const output = new Output(options);
      const { units, trouble } = await listUnits(name, options.family, output);
      const { formatUnits } = await import('../results/units.js');
      output.result(units, () => formatUnits(units, options.all));
      if (trouble) throw trouble;
    });
}

/** What a model is; also of one that cannot be used, with the reason. */
async function listUnits(
  name: string,
  family: string | undefined,
  output: Output,
): Promise<{ units: Units; trouble?: UserError }> {
  const { findModel, networkAt } = await import('../../jobs/open-network.js');
  const place = await finishRun(showProgress(findModel(name), output));
  const { holdsVisionNetwork } = await import('../../vision/model-file.js');
  if (holdsVisionNetwork(place.path)) {
    const { visionUnits } = await import('../results/units.js');
    return { units: { model: name, ...visionUnits(await networkAt(place)) } };
  }
  const foreign = foreignFormat([place.path]);
  if (foreign !== null) throw new UserError(foreign);
  const { listTextUnits } = await import('../../text/readouts/list-units.js');
  const { UnknownFamily } = await import('../../text/lm/config.js');
  try {
    return { units: { model: name, ...(await listTextUnits(place.path, family)) } };
  } catch (error) {
    if (!(error instanceof UnknownFamily)) throw error;
    const { aboutUnknown } = await import('../../text/readouts/about-unknown.js');
    return { units: { model: name, ...aboutUnknown(error) }, trouble: error };
  }
}
