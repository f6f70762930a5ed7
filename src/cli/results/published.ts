/** @file What is published of a unit, as `superstim score` and `superstim text` print it. */
import { formatMaximum, type PublishedUnit } from '../../core/published-unit.js';
import type { Printer } from '../job-command.js';

/** @param raw - the largest activation of the texts that it is shown beside */
export function formatPublished(unit: PublishedUnit, raw: number, table: Printer['table']): string[] {
  const title = formatMaximum(unit, raw);
  const rows = unit.exemplars.map(({ published, raw, text }) => [
    published.toPrecision(4),
    raw.toPrecision(4),
    JSON.stringify(text).slice(1, -1),
  ]);
  return rows.length === 0 ? [title] : [title, table([['published', 'raw', 'text'], ...rows])];
}
