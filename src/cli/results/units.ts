/** @file The units of a model, as `superstim units` prints them. */
import { formatTable } from '../../core/format.js';
import type { TextUnits } from '../../text/readouts/list-units.js';
import type { LayerInfo } from '../../vision/network.js';

export type Units = { model: string } & (TextUnits | { kind: 'vision'; layers: readonly LayerInfo[] });

export function formatUnits(units: Units): string {
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
