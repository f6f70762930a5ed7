/** @file The site of a run: that of an atlas of texts, or of pictures. */
import { existsSync } from 'node:fs';
import { runFile } from '../../runs/run-file.js';
import { hasPictures, writePictureSite } from './picture-site.js';
import { hasAtlas } from './read-atlas.js';
import { writeSite } from './write-site.js';

/**
 * Writes the site of a run, where it has what one shows.
 *
 * @returns its index
 * @throws UserError when the folder cannot be written
 */
export function writeSiteOf(run: string): string | null {
  if (hasAtlas(run)) return writeSite(run);
  return hasPictures(run) ? writePictureSite(run) : null;
}

/** Whether a run is shown as a site: atlases are, and renders that were begun as one. */
export const showsSite = (run: string): boolean =>
  hasAtlas(run) || existsSync(runFile(run, 'site/index.html'));
