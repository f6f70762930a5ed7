/** @file What `superstim atlas` prints for people. */
import { counted, formatCount, formatSeconds, formatTable } from '../../core/format.js';
import { visible } from '../../core/visible.js';
import type { AtlasResult } from '../../text/atlas/atlas.js';
import type { Paint } from '../output.js';

/** Units listed: those with the largest hypervolume. */
const LISTED = 12;

/** @param site - the page to open */
export function formatAtlas(
  { units, cost, hypervolume, run, site }: AtlasResult & { run: string; site?: string | null },
  paint: Paint,
): string {
  const what = `${counted(cost.evaluations, 'evaluation')} in ${formatSeconds(cost.seconds)}`;
  const listed = [...units].sort((a, b) => b.hypervolume - a.hypervolume).slice(0, LISTED);
  const rows = listed.map(({ unit, hypervolume, z, margin, text }) => [
    unit,
    hypervolume.toFixed(1),
    z?.toFixed(2) ?? '',
    margin?.toFixed(2) ?? '',
    text === null ? '' : visible(text),
  ]);
  return [
    paint(
      'bold',
      `${counted(units.length, 'unit')}, hypervolume ${hypervolume.toFixed(1)} in the geometric mean (${what})`,
    ),
    formatTable([['unit', 'hypervolume', 'z', 'margin', 'strongest text below 6 nats'], ...rows]),
    ...(units.length > rows.length
      ? [`${formatCount(units.length - rows.length)} more units in its pages and atlas.parquet`]
      : []),
    '',
    ...(site ? [`site: ${site}`] : []),
    `run: ${run}`,
  ].join('\n');
}
