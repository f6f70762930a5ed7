/** @file A rendered picture: its last state, the way there, and the activation over the steps. */
import { jsonField, type RunView } from '../../runs/run-view.js';
import type { EmbeddedPicture, RunPictures } from '../embedded-pictures.js';
import { type CurveSeries, curveFigure } from '../figures/curve.js';
import { type Html, html } from '../html.js';
import { type ReportedRun, unitLabel } from '../reported-run.js';
import { shortNumber } from '../visible-text.js';

/** The pictures and the curve, or null for a run without either. */
export function pictureSection(run: ReportedRun, { final, film, animation }: RunPictures): Html | null {
  const curve = activationFigure(run);
  if (!final && film.length === 0 && !curve) return null;
  const unit = unitLabel(run);
  return html`<section aria-labelledby="picture"><h2 id="picture">Picture</h2>
${final && html`<figure class="final">${image(final, `Picture that excites ${unit}`)}<figcaption>${endsOf(run)}</figcaption></figure>`}
${animation && html`<details class="animation"><summary>Play the animation</summary>${image(animation, `The picture of ${unit} as it came about`)}</details>`}
${
  film.length > 0 &&
  html`<div class="scroll" role="region" aria-label="Frames" tabindex="0"><ol class="film">${film.map(
    ({ picture, step, activation }) =>
      html`<li><figure>${image(picture, `Step ${step}`)}<figcaption>step ${step}<br>${shortNumber(activation)}</figcaption></figure></li>`,
  )}</ol></div>`
}
${curve && html`<h3>Activation</h3><div class="plot">${curve}</div>`}
</section>`;
}

function image({ source, width, height }: EmbeddedPicture, alt: string): Html {
  return html`<img src="${source}" width="${width}" height="${height}" alt="${alt}">`;
}

/** Where the activation began and ended. */
function endsOf({ result, view }: ReportedRun): string {
  const { values } = activationSeries({ result, view });
  if (values.length === 0) return '';
  return `activation ${shortNumber(values[0]!)} at the start, ${shortNumber(values.at(-1)!)} at the end`;
}

/** The activation at every step where the result has it, else at the frames. */
export function activationSeries({
  result,
  view,
}: {
  result: ReportedRun['result'];
  view: RunView;
}): CurveSeries {
  const curve = jsonField(jsonField(result, 'activation'), 'curve');
  const values = Array.isArray(curve) ? curve.filter((value) => typeof value === 'number') : [];
  if (values.length > 1) return { name: 'activation', steps: values.map((_, step) => step), values };
  const { frames } = view;
  return {
    name: 'activation',
    steps: frames.map(({ step }) => step),
    values: frames.map(({ activation }) => activation),
  };
}

export function activationFigure(run: ReportedRun): Html | null {
  return curveFigure([activationSeries(run)], 'activation', { width: 720, height: 260 });
}
