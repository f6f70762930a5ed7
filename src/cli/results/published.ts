/** @file What is published of a unit, as `superstim score` and `superstim text` print it. */
import { formatTable } from '../../core/format.js';
import type { PublishedUnit } from '../../text/readouts/published.js';

/** @param raw - the largest activation of the texts that it is shown beside */
export function formatPublished({ name, maximum, exemplars }: PublishedUnit, raw: number): string[] {
  const share = maximum ? `: ${(raw / maximum).toFixed(2)} of it here` : '';
  const title = `${name} on Neuronpedia, maximum ${maximum?.toPrecision(4) ?? 'not known'}${share}`;
  const rows = exemplars.map(({ published, raw, text }) => [
    published.toPrecision(4),
    raw.toPrecision(4),
    JSON.stringify(text).slice(1, -1),
  ]);
  return rows.length === 0 ? [title] : [title, formatTable([['published', 'raw', 'text'], ...rows])];
}
