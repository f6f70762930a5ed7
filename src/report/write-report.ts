/** @file Reports as files: a page in each run's folder, and a page over all of them where there are several. */
import { statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { indexPage } from './index-page.js';
import { runPage } from './page.js';
import { commonFolder, openRun } from './reported-run.js';

export interface WrittenReport {
  /** The page to open. */
  readonly report: string;
  /** One page a run. */
  readonly pages: readonly string[];
  /** What is absent or damaged, by run folder; runs that are whole are not in it. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
}

/**
 * Writes `report.html` into each run folder; of several runs also an index beside them.
 *
 * @param file - where the page to open goes, instead of `report.html` or `index.html`
 * @throws UserError for a path that is no run folder, before anything is written
 */
export async function writeReport(paths: readonly string[], file?: string): Promise<WrittenReport> {
  // `runs/*` also names the index that an earlier call wrote there.
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile();
  const folders = paths.length === 1 ? paths : paths.filter((path) => !isFile(path));
  const runs = folders.map(openRun);
  const single = runs.length === 1;
  const pages: string[] = [];
  for (const run of runs) {
    const page = single && file !== undefined ? resolve(file) : join(run.path, 'report.html');
    write(page, await runPage(run));
    pages.push(page);
  }
  const missing = Object.fromEntries(
    runs.filter((run) => run.missing.length > 0).map((run) => [run.path, run.missing]),
  );
  if (single) return { report: pages[0]!, pages, missing };
  const report = resolve(file ?? join(commonFolder(folders), 'index.html'));
  const linked = runs.map((run, i) => ({ run, link: linkFrom(report, pages[i]!) }));
  write(report, await indexPage(linked));
  return { report, pages, missing };
}

function write(file: string, page: string): void {
  makeFolder(dirname(file));
  writeFileByRename(file, page);
}

/** A relative address; every part of it may have characters that addresses cannot. */
function linkFrom(page: string, target: string): string {
  return relative(dirname(page), target).split(sep).map(encodeURIComponent).join('/');
}
