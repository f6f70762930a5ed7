/** @file The site of a render of many units: an index of pictures, and one page per unit. A folder that is opened from disk or served. */
import { copyFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import { runFile } from '../../runs/run-file.js';
import { curveFigure } from '../figures/curve.js';
import { type Html, html } from '../html.js';
import { openRun } from '../reported-run.js';
import { pageScript } from '../script.js';
import { pageStyle } from '../style.js';
import { shortNumber } from '../visible-text.js';
import { PageNames } from './page-names.js';
import { pictureScript } from './picture-script.js';
import { siteDocument } from './site-document.js';
import { navigationScript } from './site-script.js';
import { siteStyle } from './site-style.js';
import { type Neighbour, siteNavigation } from './unit-page.js';

const MOST_UNITS = 100_000;
const figure = z.number().catch(Number.NaN);

/** What is read of a render's result; folders come from anywhere. */
const rendered = z.object({
  pictures: z.array(z.string().max(200)).max(MOST_UNITS),
  units: z
    .array(
      z.object({
        unit: z.string().min(1).max(10_000),
        dead: z.boolean().catch(false),
        activation: z.object({ start: figure, final: figure, curve: z.array(figure).catch([]) }),
      }),
    )
    .max(MOST_UNITS),
});
type Rendered = z.infer<typeof rendered>['units'][number] & {
  /** Its page and its picture in the site's folders. */
  readonly page: string;
  readonly picture: string;
};

/** Whether a render has a picture of each of its units. */
export const hasPictures = (run: string): boolean => existsSync(runFile(run, 'pictures'));

/**
 * Writes the site of a render.
 *
 * @param folder - default: `site` in the run folder
 * @returns its index
 * @throws UserError when the run has no pictures of single units, or the folder cannot be written
 */
export function writePictureSite(run: string, folder = join(run, 'site')): string {
  const root = resolve(folder);
  const { description, result } = openRun(run);
  const read = rendered.safeParse(result);
  if (!read.success)
    throw new UserError(
      `${run} has no pictures of several units yet: let the run come to its end, or resume it`,
    );
  const model = description?.model?.name ?? 'a network';
  for (const name of ['units', 'pictures']) makeFolder(join(root, name));
  const write = (name: string, content: string) => writeFileByRename(join(root, name), content);
  write('site.css', pageStyle + siteStyle);
  write('site.js', pageScript + navigationScript + pictureScript);

  const names = new PageNames();
  const units = read.data.units.flatMap((unit, i): Rendered[] => {
    const file = read.data.pictures[i];
    const name = names.of(unit.unit);
    return file !== undefined && copied(runFile(run, file), join(root, 'pictures', `${name}.png`))
      ? [{ ...unit, page: `${name}.html`, picture: `${name}.png` }]
      : [];
  });
  if (units.length === 0) throw new UserError(`${run} has lost its pictures: render the units again`);
  const neighbour = (unit: Rendered | undefined): Neighbour | null =>
    unit ? { unit: unit.unit, page: unit.page } : null;
  for (const [i, unit] of units.entries()) {
    const place = { model, previous: neighbour(units[i - 1]), next: neighbour(units[i + 1]) };
    write(`units/${unit.page}`, picturePage(unit, place));
  }
  write('index.html', pictureIndex(units, model));
  return join(root, 'index.html');
}

/** False where the picture is not there any more. */
function copied(from: string, to: string): boolean {
  if (!existsSync(from)) return false;
  try {
    copyFileSync(from, to);
  } catch (error) {
    throw fileError(error, `write ${to}`);
  }
  return true;
}

type SitePlace = Parameters<typeof siteNavigation>[0] & { readonly model: string };

function picturePage({ unit, dead, picture, activation }: Rendered, place: SitePlace): string {
  const { start, final, curve } = activation;
  const steps = curve.map((_, step) => step);
  const drawn = curveFigure([{ name: 'activation', steps, values: curve }], 'activation', {
    width: 720,
    height: 260,
  });
  const facts: [string, string][] = [
    ['activation at the start', shortNumber(start)],
    ['at the end', dead ? 'silent' : shortNumber(final)],
    ['steps', String(curve.length)],
  ];
  const body = html`<header>${siteNavigation(place)}
<h1>${unit} <small>of ${place.model}</small></h1>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>
<main><figure class="final"><img src="../pictures/${picture}" alt="Picture that excites ${unit}"></figure>
${drawn && html`<section aria-labelledby="activation"><h2 id="activation">Activation</h2><div class="plot">${drawn}</div></section>`}</main>`;
  return siteDocument(`${unit} · ${place.model} · atlas`, '..', body);
}

/** Layers in the order of the run. */
function pictureIndex(units: readonly Rendered[], model: string): string {
  const layers = new Map<string, Rendered[]>();
  for (const unit of units) {
    const layer = unit.unit.split(':', 1)[0]!;
    layers.set(layer, [...(layers.get(layer) ?? []), unit]);
  }
  const body = html`<header><h1>Atlas of ${model}</h1>
<p>${units.length.toLocaleString('en')} units, each with the picture that excites it most, found by gradient ascent.
Activations of different units are not on one scale.</p></header>
<main><p><label>Filter <input type="search" id="filter" placeholder="block4 or :12" autocomplete="off"></label>
<span id="shown" role="status"></span></p>
<fieldset class="switch" id="order"><legend>Order by</legend>
<label><input type="radio" name="order" value="unit" checked> unit</label>
<label><input type="radio" name="order" value="final"> activation</label></fieldset>
${[...layers].map(([layer, own], i) => layerSection(layer, own, i))}
<p class="keys">Keys: <kbd>/</kbd> filters; on a page <kbd>p</kbd> and <kbd>n</kbd> step through units, <kbd>i</kbd> is this index.</p>
</main>`;
  return siteDocument(`Atlas of ${model}`, '.', body);
}

const layerSection = (layer: string, units: readonly Rendered[], number: number): Html =>
  html`<section aria-labelledby="layer-${number}"><h2 id="layer-${number}">${layer}</h2>
<ul class="pictures">${units.map(
    ({ unit, page, picture, dead, activation: { final } }, i) =>
      html`<li data-unit="${unit}" data-place="${i}" data-final="${dead || Number.isNaN(final) ? '' : final}"><a href="units/${page}"><img src="pictures/${picture}" loading="lazy" alt="">${unit}</a> <small>${dead ? 'silent' : shortNumber(final)}</small></li>`,
  )}</ul></section>`;
