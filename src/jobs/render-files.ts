/** @file A render with its files: frames in the run folder, the picture or contact sheet, the animation. */
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { UsageError, UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import { contactSheet } from '../media/contact-sheet.js';
import { exampleSheet } from '../media/example-sheet.js';
import { checkAnimationName, encodePng, writeAnimation, writePng } from '../media/picture-files.js';
import { visiblePicture } from '../media/planes.js';
import { asJson, eventClock, type Run } from '../runs/events.js';
import { runFile } from '../runs/run-file.js';
import type { RunFolder } from '../runs/run-folder.js';
import type { ChannelUnit } from '../vision/channel-unit.js';
import { datasetExamples } from '../vision/dataset-examples.js';
import { type InputKind, imageDefaults } from '../vision/names.js';
import { type Expression, formatExpression } from '../vision/objectives/expression.js';
import { type Picture, readPicture } from '../vision/picture.js';
import { renderUnits, silent } from '../vision/render/render.js';
import type {
  RenderedUnit,
  RenderOptions,
  RenderResult,
  UnitResult,
} from '../vision/render/render-options.js';
import { type ExamplesDocument, type ImageResult, withoutPixels } from './image-result.js';
import { type KeptRender, writeRenderState } from './render-state.js';

export interface RenderFiles {
  /** The picture, .png; default: `picture.png` in the run folder, nothing without one. */
  readonly image?: string;
  /** Animation of every step, .gif or .webp. */
  readonly animation?: string;
  /** A folder of pictures, whose strongest for each unit are laid beside the synthetic ones. */
  readonly examples?: string;
}

/** Frames that a run folder gets when no animation asks for every step. */
const FRAMES = 16;
/** Photographs beside each synthetic picture. */
const EXAMPLES = 6;

/**
 * Checks the names of files before anything is computed.
 *
 * @throws UsageError for a wrong ending, UserError for a folder that is not there
 */
export function checkFiles({ image, animation, examples }: RenderFiles): void {
  if (examples !== undefined && !statSync(examples, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`there is no folder ${examples} to take examples from; check the path`);
  if (image !== undefined && extname(image).toLowerCase() !== '.png') {
    throw new UsageError(`${image} is no name for a picture: it must end in .png`);
  }
  if (animation !== undefined) checkAnimationName(animation);
  for (const file of [image, animation]) {
    if (file === undefined) continue;
    const folder = dirname(resolve(file));
    if (!existsSync(folder))
      throw new UserError(`${file} cannot be written: there is no folder ${folder}; make it first`);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UserError(`${file} cannot be written: that is a folder, not a file`);
    }
  }
}

/**
 * Renders, with the files of the run.
 *
 * @param folder - gets frames and pictures; null keeps none but those that `files` names
 * @param from - where an earlier part of the same render stood
 * @yields what `renderUnits` does; `finished` carries the document
 * @throws UserError when every unit is silent: there is nothing to show
 */
export async function* renderToFiles(
  options: Omit<RenderOptions, 'saveFrame' | 'frameEvery' | 'saveState' | 'stateEvery' | 'from' | 'clock'>,
  folder: RunFolder | null,
  files: RenderFiles = {},
  from?: KeptRender,
): Run<ImageResult> {
  checkFiles(files);
  const event = eventClock(folder?.elapsed);
  const channels = files.examples === undefined ? [] : channelsOf(options.units);
  const steps = options.steps ?? imageDefaults.steps;
  // Several batches have frames of the same step; they follow each other.
  let frames = from?.frames ?? 0;
  const animation = folder && files.animation ? await readFrames(folder, frames) : [];
  const every = Math.max(1, Math.ceil(steps / FRAMES));
  const run = renderUnits({
    ...options,
    ...(folder && {
      clock: folder.elapsed,
      stateEvery: every,
      saveState: (state) => writeRenderState(folder, { state, frames, clock: folder.elapsed }),
    }),
    ...(from && { from: from.state }),
    ...((folder || files.animation) && { frameEvery: files.animation ? 1 : every }),
    async saveFrame(_step, units) {
      const sheet = sheetOf(units, options.input);
      if (files.animation) animation.push(sheet);
      if (!folder) return null;
      const name = frameName(frames++);
      folder.writeFile(name, await encodePng(sheet));
      return name;
    },
  });
  let result: RenderResult;
  for (;;) {
    const next = await run.next();
    if (next.done) {
      result = next.value;
      break;
    }
    if (next.value.kind !== 'finished') yield next.value;
  }
  const written = await writeResult(result, animation, folder, files, options.input);
  const examples =
    files.examples === undefined || options.signal?.aborted
      ? null
      : yield* findExamples(options, channels, result, files.examples, folder);
  const rendered = { ...written, examples };
  const reason = result.interrupted ? 'interrupted' : 'done';
  const document = { ...(folder && { run: folder.path }), ...withoutPixels(rendered) };
  yield event({ kind: 'finished', reason, result: asJson(document) });
  return rendered;
}

const frameName = (number: number) => `frames/${String(number).padStart(6, '0')}.png`;

/** The first frames of a render that is resumed, for its animation. */
async function readFrames(folder: RunFolder, count: number): Promise<Picture[]> {
  const { default: sharp } = await import('sharp');
  const frames: Picture[] = [];
  for (let number = 0; number < count; number++) {
    const file = runFile(folder.path, frameName(number));
    const { width, height, channels } = await sharp(file).metadata();
    frames.push(await readPicture(file, { width, height, channels: channels === 1 ? 1 : 3 }));
  }
  return frames;
}

async function writeResult(
  result: RenderResult,
  animation: readonly Picture[],
  folder: RunFolder | null,
  files: RenderFiles,
  input: InputKind | undefined,
): Promise<Omit<ImageResult, 'examples'>> {
  const { units, stalled, cost } = result;
  if (units.every(({ dead }) => dead)) {
    const names = units.map(({ unit }) => unit);
    throw new UserError(silent(names, units[0]!.activation.curve.length));
  }
  const image = files.image ? resolve(files.image) : folder && runFile(folder.path, 'picture.png');
  if (image) await writePng(image, sheetOf(units, input));
  const pictures = folder && units.length > 1 ? await writeEach(units, folder, input) : null;
  if (files.animation) await writeAnimation(files.animation, animation);
  const activations = units.map(({ activation }) => activation);
  const mean = (of: (activation: UnitResult['activation']) => number): number =>
    activations.reduce((sum, activation) => sum + of(activation), 0) / activations.length;
  return {
    unit: units.map(({ unit }) => unit).join(', '),
    image,
    pictures,
    animation: files.animation ? resolve(files.animation) : null,
    activation: {
      start: mean(({ start }) => start),
      final: mean(({ final }) => final),
      curve: activations[0]!.curve.map((_, step) => mean(({ curve }) => curve[step] ?? 0)),
    },
    units,
    stalled,
    cost,
  };
}

/** A picture a unit, in the order of the units. Returns their names in the run folder. */
async function writeEach(
  units: readonly RenderedUnit[],
  folder: RunFolder,
  input: InputKind | undefined,
): Promise<string[]> {
  const names: string[] = [];
  for (const { picture } of units) {
    const name = `pictures/${String(names.length).padStart(6, '0')}.png`;
    folder.writeFile(name, await encodePng(visiblePicture(picture, input)));
    names.push(name);
  }
  return names;
}

/** Dataset examples are those of channels. Throws UsageError for other objectives. */
function channelsOf(units: readonly Expression[]): ChannelUnit[] {
  return units.map((unit) => {
    if (unit.kind === 'unit') return unit.unit;
    throw new UsageError(
      `${field('examples')} are found for channels, not for "${formatExpression(unit)}": give units such as layer:3`,
    );
  });
}

/** @yields what `datasetExamples` does */
async function* findExamples(
  { network, preprocessing, input, engine, signal, variants = imageDefaults.variants }: RenderOptions,
  units: readonly ChannelUnit[],
  result: RenderResult,
  pictures: string,
  folder: RunFolder | null,
): Run<ExamplesDocument> {
  const found = yield* datasetExamples({
    network,
    units,
    folder: pictures,
    count: EXAMPLES,
    ...(preprocessing && { preprocessing }),
    ...(input && { input }),
    ...(engine && { engine }),
    ...(signal && { signal }),
  });
  const image = folder && runFile(folder.path, 'examples.png');
  const first = result.units.filter((_, i) => i % variants === 0);
  if (image) await writePng(image, await exampleSheet(first, found.units, input));
  return {
    image,
    pictures: found.pictures,
    units: found.units.map(({ unit, examples }) => ({
      unit,
      examples: examples.map(({ file, mean, peak }) => ({ file, mean, peak: peak.activation })),
    })),
  };
}

/** The picture of one unit, or a sheet of several. */
function sheetOf(
  units: readonly (RenderedUnit & { dead?: boolean })[],
  input: InputKind | undefined,
): Picture {
  const pictures = units.map(({ picture }) => visiblePicture(picture, input));
  if (units.length === 1) return pictures[0]!;
  return contactSheet(
    units.map(({ unit, dead = false }, i) => ({ label: unit, picture: pictures[i]!, dead })),
  );
}
