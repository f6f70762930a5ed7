/**
 * Runs as pages, figures and pictures.
 *
 * @module
 */

// Pages and figures.

export { writeFigure } from './report/figure-file.js';
export { openRun, type ReportedRun } from './report/reported-run.js';
export { type WrittenReport, writeReport } from './report/write-report.js';

// Pictures on disk.

export { contactSheet, type Tile } from './media/contact-sheet.js';
export { type AnimationOptions, encodePng, writeAnimation, writePng } from './media/picture-files.js';

// A picture in the terminal.

export { type ColorDepth, type ColorStream, colorDepth } from './media/styled.js';
export {
  type Graphics,
  graphicsOf,
  graphicsProtocols,
  type PictureBox,
  terminalPicture,
} from './media/terminal-picture.js';
export type { RunView } from './runs/run-view.js';
