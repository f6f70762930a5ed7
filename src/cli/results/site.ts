/** @file The site of what was found for many units. */
import type { PerformFlags } from '../job-command.js';

/** A result, where its run folder is, and the page to open. */
export interface Sited {
  readonly run: string;
  readonly site?: string | null;
}

/** The result with its site, where one is asked for or there already. */
export async function withSite<Result extends Sited>(
  result: Result,
  { site }: PerformFlags,
): Promise<Result> {
  const { showsSite, writeSiteOf } = await import('../../report/site/site-of.js');
  const written = site || showsSite(result.run) ? writeSiteOf(result.run) : null;
  return written === null ? result : Object.assign(result, { site: written });
}
