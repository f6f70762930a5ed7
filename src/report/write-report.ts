/** @file Reports as files: a page in each run's folder, and a page over all of them where there are several. */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { type IndexedRun, indexedRun, indexPage } from './index-page.js';
import { runPage } from './page.js';
import { commonFolder, openRun, type ReportedRun } from './reported-run.js';
import { showsSite, writeSiteOf } from './site/site-of.js';

export interface WrittenReport {
  /** The page to open. */
  readonly report: string;
  /** One page a run. */
  readonly pages: readonly string[];
  /** What is absent or damaged, by run folder; runs that are whole are not in it. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
  /** Why a path was passed over. */
  readonly passed: Readonly<Record<string, string>>;
}

/**
 * Writes `report.html` into each run folder, of an atlas its site; of several runs also an index beside them. Of several paths those that are
 * no run folders, or cannot be read, are passed over.
 *
 * @param file - where the page to open goes, instead of `report.html` or `index.html`
 * @throws UserError for a single path that is no run folder, and when none of several is one
 */
export async function writeReport(paths: readonly string[], file?: string): Promise<WrittenReport> {
  if (paths.length === 1) {
    const { run, page } = await writePage(paths[0]!, file);
    const missing = run.missing.length > 0 ? { [run.path]: run.missing } : {};
    return { report: page, pages: [page], missing, passed: {} };
  }
  const passed: Record<string, string> = {};
  const rows: { run: IndexedRun; path: string; page: string }[] = [];
  for (const path of paths) {
    try {
      const { run, page } = await writePage(path);
      rows.push({ run: await indexedRun(run), path: run.path, page });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      passed[path] = error.message;
    }
  }
  if (rows.length === 0)
    throw new UserError(`none of the ${paths.length} paths is a run folder: ${Object.values(passed)[0]}`);
  const report = resolve(file ?? join(commonFolder(rows.map(({ path }) => path)), 'index.html'));
  write(report, indexPage(rows.map(({ run, page }) => ({ ...run, link: linkFrom(report, page) }))));
  const incomplete = rows.filter(({ run }) => run.missing.length > 0);
  return {
    report,
    pages: rows.map(({ page }) => page),
    missing: Object.fromEntries(incomplete.map(({ run, path }) => [path, run.missing])),
    passed,
  };
}

async function writePage(path: string, file?: string): Promise<{ run: ReportedRun; page: string }> {
  const run = openRun(path);
  const site = file === undefined && showsSite(run.path) ? writeSiteOf(run.path) : null;
  if (site !== null) return { run, page: site };
  const page = file === undefined ? join(run.path, 'report.html') : resolve(file);
  write(page, await runPage(run));
  return { run, page };
}

function write(file: string, page: string): void {
  makeFolder(dirname(file));
  writeFileByRename(file, page);
}

/** A relative address; every part of it may have characters that addresses cannot. */
function linkFrom(page: string, target: string): string {
  return relative(dirname(page), target).split(sep).map(encodeURIComponent).join('/');
}
