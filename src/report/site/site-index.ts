/** @file The index of an atlas: a grid of layers and units, a table of all of them, a search over texts. Filled by `site-script.ts`. */
import { counted } from '../../core/format.js';
import { html } from '../html.js';
import { COLOR_STEPS } from '../palette.js';
import { siteDocument } from './site-document.js';

export interface SiteFacts {
  readonly model: string;
  /** As the job names them. */
  readonly asked: string;
  readonly units: number;
  readonly texts: number;
  readonly evaluations: number | null;
  readonly hypervolume: number | null;
}

/** What is shown of a unit beside its name: title, key in `data/index.js`, digits. */
export const columns = [
  ['z', 'z', 2],
  ['margin', 'margin', 2],
  ['entropy', 'entropy of attention', 2],
  ['hypervolume', 'hypervolume', 1],
  ['texts', 'texts', 0],
] as const;

export function siteIndex(facts: SiteFacts): string {
  const { model, asked, units, texts, evaluations, hypervolume } = facts;
  const steps = Array.from({ length: COLOR_STEPS + 1 }, (_, step) => step);
  const body = html`<header><h1>Atlas of ${model}</h1>
<p>${counted(units, 'unit')} (${asked}), ${counted(texts, 'text')}${evaluations !== null && `, ${counted(evaluations, 'evaluation')}`}${
    hypervolume !== null && `; hypervolume ${hypervolume.toFixed(1)} in the geometric mean`
  }. z is that of the strongest text below 6 nats a token, margin that of the most selective one.</p></header>
<main>
<section aria-labelledby="map"><h2 id="map">Map</h2>
<fieldset class="switch" id="colours"><legend>Colour by</legend>${columns
    .slice(0, 4)
    .map(
      ([key, title], i) =>
        html`<label><input type="radio" name="colour" value="${key}" id="colour-${i}"> ${title}</label>`,
    )}</fieldset>
<p class="scale" aria-hidden="true"><span id="least"></span> ${steps.map((step) => html`<i class="z${step}"> </i>`)} <span id="most"></span></p>
<div id="grid"></div></section>
<section aria-labelledby="units"><h2 id="units">Units</h2>
<p><label>Filter <input type="search" id="filter" placeholder="L2. or a word of the text" autocomplete="off"></label>
<span id="shown" role="status"></span></p>
<div class="scroll" role="region" aria-labelledby="units" tabindex="0"><table class="texts units">
<thead><tr><th scope="col" data-key="unit"><button type="button">unit</button></th>${columns.map(
    ([key, title]) => html`<th scope="col" data-key="${key}"><button type="button">${title}</button></th>`,
  )}<th scope="col">strongest text</th></tr></thead><tbody id="rows"></tbody></table></div>
<p><button type="button" id="more" hidden>Show more</button></p></section>
<section aria-labelledby="search"><h2 id="search">Search in all texts</h2>
<p><label>Text <input type="search" id="query" autocomplete="off"></label> <span id="found" role="status"></span></p>
<ol id="results" class="results"></ol></section>
<p class="keys">Keys: <kbd>/</kbd> filters, <kbd>s</kbd> searches; arrows step through the map.</p>
<noscript><p>The index needs scripts; the pages of units are in the folder "units".</p></noscript>
</main>`;
  return siteDocument(`Atlas of ${model}`, '.', body, ['data/index.js']);
}
