/** @file The units of a model, as `superstim units` prints them. */
import { counted, formatBytes, formatCount } from '../../core/format.js';
import { formatTable } from '../../core/table.js';
import type { UnknownModel } from '../../text/readouts/about-unknown.js';
import type { TextUnits } from '../../text/readouts/list-units.js';
import { formatLayer } from '../../vision/layer-name.js';
import type { LayerInfo, VisionNetwork } from '../../vision/network.js';

/** A layer that the file has and that cannot be computed. */
export interface UnreachableLayer {
  readonly layer: string;
  readonly reason: string;
}

interface VisionUnits {
  readonly kind: 'vision';
  readonly layers: readonly LayerInfo[];
  readonly unreachable: readonly UnreachableLayer[];
}

export type Units = { model: string } & (TextUnits | VisionUnits | UnknownModel);

export function visionUnits({ layers, unreachable }: VisionNetwork): VisionUnits {
  return {
    kind: 'vision',
    layers,
    unreachable: [...unreachable].map(([layer, reason]) => ({ layer, reason })),
  };
}

/** Reasons that are shown of layers that cannot be computed. */
const FIRST_REASONS = 2;

/** @param all - also each layer that cannot be computed, and not only their count and first reasons */
export function formatUnits(units: Units, all = false): string {
  if (units.kind === 'vision') {
    const hasModules = units.layers.some(({ module }) => module !== undefined);
    const rows = units.layers.map(({ name, kind, channels, size, hasClassToken, module }) => [
      formatLayer(name),
      ...(hasModules ? [module === undefined ? '' : formatLayer(module)] : []),
      kind,
      channels === 1
        ? `${formatLayer(name)}:0`
        : `${formatLayer(name)}:0 to ${formatLayer(name)}:${channels - 1}`,
      `${size.join(' x ')}${hasClassToken ? ' and cls' : ''}`,
    ]);
    const header = ['layer', ...(hasModules ? ['or by its module'] : []), 'kind', 'channels', 'size'];
    const table = formatTable([header, ...rows]);
    return [table, ...unreachableText(units.unreachable, all)].join('\n\n');
  }
  if (units.kind === 'unknown') return unknownText(units);
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
    `${units.model}: a language model of the family ${units.family}`,
    formatTable(aboutRows(units)),
    '',
    formatTable([
      ['layer', 'heads', 'neurons', known ? 'heads with the longest reach (sigmas)' : ''],
      ...rows,
    ]),
    '',
    `also: ${units.others.map((other) => `"${other}"`).join(', ')}`,
    ...(units.unsupported.length > 0 ? ['', 'not supported:', ...units.unsupported] : []),
  ].join('\n');
}

function unknownText({
  model,
  kind: _,
  architecture,
  sizes,
  unknown,
  ...others
}: Units & UnknownModel): string {
  const rows = Object.entries({ ...sizes, ...others }).flatMap(([name, value]) =>
    value === null ? [] : [[name.replaceAll('_', ' '), formatCount(value)]],
  );
  return [
    `${model}: a language model of the architecture ${architecture}, which is not known`,
    formatTable(rows),
    `unknown: ${unknown.join(', ').replaceAll('_', ' ')}`,
  ].join('\n');
}

/** What a model is, a property per row. */
function aboutRows({ sizes, positions, windows, bos, chat_template, experts }: TextUnits): string[][] {
  const { key_value_heads: shared, precision } = sizes;
  const inLayers = (count: number) =>
    count === sizes.layers ? '' : ` in ${count} of ${sizes.layers} layers`;
  const rotary = positions.rotary.map(
    ({ theta, dims, scaling, layers }) =>
      `rotary (base ${theta}, ${dims} of ${sizes.d_head} dimensions of a head${scaling ? `, ${scaling}` : ''})${inLayers(layers)}`,
  );
  return [
    [
      'sizes',
      `${counted(sizes.layers, 'layer')}, ${counted(sizes.heads, 'head')} of ${sizes.d_head}${shared === sizes.heads ? '' : ` (${shared} of keys and values)`}, model ${sizes.d_model}, MLP ${sizes.d_mlp}, ${counted(sizes.vocabulary, 'token')}`,
    ],
    [
      'weights',
      `${counted(sizes.parameters, 'parameter')}, ${formatBytes(sizes.bytes)}, ${Object.keys(precision).join(' and ')}`,
    ],
    ['positions', positions.kind === 'rotary' ? rotary.join('; ') || 'none' : positions.kind],
    ['context', counted(positions.context, 'token')],
    [
      'windows',
      windows.map(({ tokens, layers }) => `${counted(tokens, 'token')}${inLayers(layers)}`).join('; ') ||
        'none',
    ],
    ['BOS', bos ? `${JSON.stringify(bos.token)} (${bos.token_id}): ${bos.why}` : 'none'],
    ['chat template', chat_template ? 'yes' : 'no'],
    [
      'experts',
      experts
        ? `${experts.chosen} of ${experts.count}, ${formatCount(experts.neurons)} neurons each${inLayers(experts.layers)}`
        : 'none',
    ],
  ];
}

function unreachableText(unreachable: readonly UnreachableLayer[], all: boolean): string[] {
  if (unreachable.length === 0) return [];
  const count = counted(unreachable.length, 'layer');
  if (all) {
    const rows = unreachable.map(({ layer, reason }) => [formatLayer(layer), reason]);
    return [`${count} cannot be computed:\n${formatTable([['layer', 'reason'], ...rows])}`];
  }
  const reasons = [...new Set(unreachable.map(({ reason }) => reason))];
  const more = reasons.length > FIRST_REASONS ? `; and ${reasons.length - FIRST_REASONS} more` : '';
  return [
    `${count} cannot be computed (--all lists them): ${reasons.slice(0, FIRST_REASONS).join('; ')}${more}`,
  ];
}
