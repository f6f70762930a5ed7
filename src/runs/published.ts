/** @file What a run's result says that is published of its unit. */
import { z } from 'zod';
import { formatMaximum, type PublishedUnit } from '../core/published-unit.js';
import { visible } from '../core/visible.js';
import { jsonField, type RunView } from './run-view.js';

/** Results are read from files of others: what is none is passed over. */
const schema = z.object({
  name: z.string(),
  maximum: z.number().nullable(),
  exemplars: z.array(z.object({ text: z.string(), published: z.number(), raw: z.number() })),
});

/** Null where nothing was asked for, or the run has not come to its end. */
export function publishedOfRun({ end }: RunView): PublishedUnit | null {
  const result = end?.kind === 'finished' ? jsonField(end.result, 'published') : null;
  return schema.safeParse(result).data ?? null;
}

/** The published maximum beside the strongest text of the frontier, in one line; null where nothing is published. */
export function publishedLine(view: RunView): string | null {
  const published = publishedOfRun(view);
  if (!published) return null;
  const raws = view.frontier.map(({ raw }) => raw);
  return visible(formatMaximum(published, raws.length > 0 ? Math.max(...raws) : null));
}
