/** @file How the result of each task is printed for people. */
import { type ImageResult, withoutPixels } from '../jobs/image-result.js';
import type { ResultOf } from '../jobs/job.js';
import type { TaskName } from '../jobs/schema.js';
import type { CommonOptions } from './options.js';
import type { Output, Paint } from './output.js';
import { formatAtlas } from './results/atlas.js';
import { formatCalibration } from './results/calibration.js';
import { formatCorpus } from './results/corpus.js';
import { formatExplanation } from './results/explanation.js';
import { formatImage, pictureInTerminal } from './results/image.js';
import { formatScore } from './results/score.js';
import { formatSearch } from './results/text.js';
import { formatTune } from './results/tune.js';

const formats: { readonly [T in TaskName]: (document: ResultOf<T>, paint: Paint) => string } = {
  score: formatScore,
  explain: formatExplanation,
  calibrate: formatCalibration,
  text: formatSearch,
  image: formatImage,
  tune: formatTune,
  corpus: formatCorpus,
  atlas: formatAtlas,
};

const isRendered = (document: object): document is ImageResult => 'image' in document;

/** Prints a result: JSON or text, a picture also as a picture where stdout is a terminal. */
export async function resultText<T extends TaskName>(
  task: T,
  document: ResultOf<T>,
  flags: CommonOptions,
  output: Output,
): Promise<void> {
  const picture = 'image' in document ? await pictureInTerminal(String(document.image), flags) : '';
  const printed = isRendered(document) ? withoutPixels(document) : document;
  output.result(printed, (paint) => formats[task](document, paint), picture);
}
