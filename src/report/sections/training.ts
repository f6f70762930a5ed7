/** @file A model that learned to write: reward and divergence over the steps, samples from the start to the end. */

import { evenly } from '../../core/evenly.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { JsonValue } from '../../runs/events.js';
import { jsonField, type Series } from '../../runs/run-view.js';
import { curveFigure } from '../figures/curve.js';
import { type Html, html } from '../html.js';
import type { ReportedRun } from '../reported-run.js';
import { decimal, decimalOrDash, visibleText } from '../visible-text.js';

/** Metrics that share a figure, and the title of its axis. Others get a figure each. */
const together: readonly { readonly title: string; readonly metrics: readonly string[] }[] = [
  { title: 'reward, sigmas', metrics: ['reward', 'reward_max'] },
  { title: 'KL from the prior, nats a sequence', metrics: ['kl', 'kl_k3'] },
  { title: 'nats a token', metrics: ['cross_entropy', 'entropy'] },
];
const STEPS_SHOWN = 6;
/** Figures of metrics that are not in `together`. */
const MOST_FIGURES = 30;
/** Texts of a step. */
const MOST_SAMPLES = 20;

/** Figures of the metrics that everyone looks at, and of all others. */
export function trainingFigures(series: ReadonlyMap<string, Series>): { main: Html[]; more: Html[] } {
  const draw = (title: string, metrics: readonly string[]) => {
    const curves = metrics.flatMap((name) => {
      const own = series.get(name);
      return own ? [{ name, ...own }] : [];
    });
    return curveFigure(curves, title, { width: 720, height: 260 }) ?? [];
  };
  const taken = new Set(together.flatMap(({ metrics }) => metrics));
  return {
    main: together.flatMap(({ title, metrics }) => draw(title, metrics)),
    more: evenly(
      [...series.keys()].filter((name) => !taken.has(name)),
      MOST_FIGURES,
    ).flatMap((name) => draw(name, [name])),
  };
}

export function trainingSection(run: ReportedRun): Html | null {
  const { main, more } = trainingFigures(run.view.series);
  if (main.length + more.length + run.view.samples.length === 0) return null;
  return html`<section aria-labelledby="training"><h2 id="training">Training</h2>
${main.map((figure) => html`<div class="plot">${figure}</div>`)}
${more.length > 0 && html`<details><summary>More curves (${more.length})</summary>${more.map((figure) => html`<div class="plot">${figure}</div>`)}</details>`}
${comparison(run.result)}
${sampleTable(run)}
</section>`;
}

const compared: readonly (readonly [string, string])[] = [
  ['z', 'z, mean'],
  ['z_deviation', 'z, deviation'],
  ['cross_entropy', 'nats a token'],
  ['unique', 'share of different samples'],
  ['kl', 'KL from the prior, nats a sequence'],
];

/** Fresh samples of the tuned model against as many of the prior. */
function comparison(result: JsonValue): Html | null {
  const [tuned, prior] = [jsonField(result, 'samples'), jsonField(result, 'prior_samples')];
  const figure = (of: JsonValue, name: string) => {
    const value = jsonField(of, name);
    return decimalOrDash(typeof value === 'number' ? value : null);
  };
  if (tuned === null && prior === null) return null;
  return html`<table class="plain"><caption>Fresh samples</caption>
<thead><tr><th scope="col">mean of</th><th scope="col">prior</th><th scope="col">tuned</th></tr></thead>
<tbody>${compared.map(
    ([name, label]) =>
      html`<tr><th scope="row">${label}</th><td>${figure(prior, name)}</td><td>${figure(tuned, name)}</td></tr>`,
  )}</tbody></table>`;
}

function sampleTable({ view: { samples } }: ReportedRun): Html | null {
  if (samples.length === 0) return null;
  const shown = evenly(samples, STEPS_SHOWN);
  const row = (step: number, { z, cross_entropy, text }: ScoredText) =>
    html`<tr><td>${step}</td><td>${decimal(z)}</td><td>${decimal(cross_entropy)}</td><td class="text">${visibleText(text)}</td></tr>`;
  return html`<div class="scroll" role="region" aria-labelledby="samples" tabindex="0"><table class="texts">
<caption id="samples">Samples during training</caption>
<thead><tr><th scope="col">step</th><th scope="col">z</th><th scope="col">nats</th><th scope="col">text</th></tr></thead>
<tbody>${shown.map(({ step, texts }) => evenly(texts, MOST_SAMPLES).map((text) => row(step, text)))}</tbody></table></div>`;
}
