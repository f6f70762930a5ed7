/** @file The figure of a run as a file for papers: SVG, or PNG made from it. */
import { extname } from 'node:path';
import sharp from 'sharp';
import { UsageError, UserError } from '../core/errors.js';
import { writeFileByRename } from '../runs/files.js';
import { frontierFigure } from './figures/frontier.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { type ReportedRun, unitLabel } from './reported-run.js';
import { activationFigure } from './sections/pictures.js';
import { trainingFigures } from './sections/training.js';
import { figureStyle } from './style.js';

/** PNG pixels to a unit of the SVG: 720 units are 2,880 pixels, enough for a column in print. */
const PIXELS_PER_UNIT = 4;

/** @throws UsageError for a name that is neither .svg nor .png */
export function checkFigureName(file: string): void {
  if (!['.svg', '.png'].includes(extname(file).toLowerCase()))
    throw new UsageError(`${file} is no name for a figure: it must end in .svg or .png`);
}

/**
 * Writes the frontier of a search, the activation of a picture or the reward of a training.
 *
 * @throws UserError when the run has nothing to draw, or the machine has no font for a PNG's words
 */
export async function writeFigure(run: ReportedRun, file: string): Promise<void> {
  checkFigureName(file);
  const figure = figureOf(run);
  if (!figure)
    throw new UserError(`the run ${run.path} has no texts, activations or steps to draw a figure of`);
  const svg = standalone(figure);
  if (extname(file).toLowerCase() === '.svg') return writeFileByRename(file, svg);
  if (!(await hasFonts()))
    throw new UserError(
      `${file} would have no words: this machine has no fonts; install one (on Debian fonts-dejavu-core), or write an .svg`,
    );
  writeFileByRename(file, await rasterize(svg));
}

function figureOf(run: ReportedRun): Html | null {
  const { frontier, baselines, series } = run.view;
  const training = trainingFigures(series);
  const [curve] = [...training.main, ...training.more];
  if (curve) return curve;
  const texts = frontierFigure(
    { unit: unitLabel(run), frontier, beaten: [], baselines },
    { width: 720, height: 420 },
  );
  return texts ?? activationFigure(run);
}

/** A figure as a document with its own style. */
function standalone({ markup }: Html): string {
  const style = html`<style>${figureStyle}</style>`.markup;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markup.replace(/>/, `>\n${style}`)}\n`;
}

function rasterize(svg: string): Promise<Buffer> {
  return sharp(Buffer.from(svg), { density: 72 * PIXELS_PER_UNIT })
    .flatten({ background: '#fff' })
    .png()
    .toBuffer();
}

/** Whether words leave a mark on a picture. */
async function hasFonts(): Promise<boolean> {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15">nats</text></svg>';
  const { channels } = await sharp(Buffer.from(svg)).stats();
  return channels.at(-1)!.max > 0;
}
