/** @file `superstim units`: what a model has that can be probed. */

import { Command } from 'commander';
import { UserError } from '../../core/errors.js';
import { foreignFormat } from '../../core/foreign-formats.js';
import { formatTable } from '../../core/format.js';
import { finishRun } from '../../runs/events.js';
import type { TextUnits } from '../../text/readouts/list-units.js';
import type { LayerInfo } from '../../vision/network.js';
import { type CommonOptions, DEFAULT_MODEL, familyOption } from '../options.js';
import { Output } from '../output.js';
import { showProgress } from '../progress.js';

type Units = { model: string } & (TextUnits | { kind: 'vision'; layers: readonly LayerInfo[] });

export function unitsCommand(): Command {
  return new Command('units')
    .description('list the units of a model')
    .argument('[model]', 'an embedded model, a folder or file, or a hub id', DEFAULT_MODEL)
    .addOption(familyOption())
    .addHelpText('after', '\nExamples:\n  $ superstim units\n  $ superstim units ./mobilenet/model.json')
    .action(async (name: string, options: CommonOptions & { family?: string }) => {
      const output = new Output(options);
      const units = await listUnits(name, options.family, output);
      output.result(units, () => formatUnits(units));
    });
}

async function listUnits(name: string, family: string | undefined, output: Output): Promise<Units> {
  const { findModel, openNetwork } = await import('../../jobs/open-network.js');
  const place = await finishRun(showProgress(findModel(name), output));
  const foreign = foreignFormat([place.path]);
  if (foreign !== null) throw new UserError(foreign);
  const { holdsVisionNetwork } = await import('../../vision/open.js');
  if (holdsVisionNetwork(place.path)) {
    return { model: name, kind: 'vision', layers: (await openNetwork(place)).layers };
  }
  const { listTextUnits } = await import('../../text/readouts/list-units.js');
  return { model: name, ...listTextUnits(place.path, family) };
}

function formatUnits(units: Units): string {
  if (units.kind === 'vision') {
    const rows = units.layers.map(({ name, kind, channels, size }) => [
      name,
      kind,
      `${name}:0 to ${name}:${channels - 1}`,
      size.join(' x '),
    ]);
    return formatTable([['layer', 'kind', 'channels', 'size'], ...rows]);
  }
  const rows = units.layers.map(({ layer, heads, neurons, experts, strongest_heads: strongest }) => [
    `L${layer}`,
    `L${layer}.H0 to L${layer}.H${heads - 1}`,
    experts
      ? `L${layer}.E0.N0 to L${layer}.E${experts.count - 1}.N${experts.neurons - 1}`
      : `L${layer}.N0 to L${layer}.N${neurons - 1}`,
    strongest
      .slice(0, 3)
      .map(({ unit, max_z }) => `${unit} (${max_z.toFixed(0)})`)
      .join(', '),
  ]);
  const known = units.layers.some(({ strongest_heads }) => strongest_heads.length > 0);
  return [
    `${units.model}: ${units.family}, ${units.layers.length} layers, ${units.vocabulary} tokens, context ${units.context}`,
    '',
    formatTable([
      ['layer', 'heads', 'neurons', known ? 'heads with the longest reach (sigmas)' : ''],
      ...rows,
    ]),
    '',
    `also: ${units.others.map((other) => `"${other}"`).join(', ')}`,
  ].join('\n');
}
