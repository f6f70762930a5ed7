/** @file What `superstim image` prints for people. */
import { counted, formatSeconds, formatTable } from '../../core/format.js';
import type { ImageDocument } from '../../jobs/image-result.js';
import type { CommonOptions } from '../options.js';
import type { Paint } from '../output.js';

/** The picture in characters, or by the terminal's own protocol; nothing where stdout is no terminal. */
export async function pictureInTerminal(
  file: string,
  { json, color = true }: CommonOptions,
): Promise<string> {
  const { stdout, env } = process;
  if (json || !stdout.isTTY) return '';
  const { graphicsOf, terminalPicture } = await import('../../media/terminal-picture.js');
  const { colorDepth } = await import('../../media/styled.js');
  return terminalPicture(file, {
    columns: Math.min(stdout.columns - 1, 80),
    rows: Math.max(8, Math.min(stdout.rows - 8, 40)),
    graphics: graphicsOf(env),
    depth: colorDepth(stdout, env, color),
  });
}

/** Each unit's activation, and where the files are. */
export function formatImage(
  {
    units,
    image,
    animation,
    examples,
    run,
    cost,
    site,
  }: ImageDocument & { readonly run: string; readonly site?: string },
  paint: Paint,
): string {
  const rows = units.map(({ unit, dead, activation: { start, final } }) => [
    unit,
    dead ? 'silent' : formatActivation(start),
    dead ? '' : formatActivation(final),
  ]);
  return [
    formatTable([['unit', 'start', 'end'], ...rows]),
    '',
    `picture: ${paint('bold', String(image))}`,
    ...(animation ? [`animation: ${animation}`] : []),
    ...(examples ? [`examples: ${examples.image} (of ${counted(examples.pictures, 'picture')})`] : []),
    ...(site ? [`site: ${site}`] : []),
    `run: ${run}`,
    `${counted(cost.steps, 'step')} in ${formatSeconds(cost.seconds)}`,
  ].join('\n');
}

const formatActivation = (value: number): string => Number(value.toPrecision(4)).toString();
