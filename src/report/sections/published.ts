/** @file The texts that excite the unit most by Neuronpedia, beside what this model says of them. */
import { publishedOfRun } from '../../runs/published.js';
import { type Html, html } from '../html.js';
import type { ReportedRun } from '../reported-run.js';
import { decimal, visibleText } from '../visible-text.js';

/** Null where none are known. */
export function publishedSection({ view }: ReportedRun): Html | null {
  const exemplars = publishedOfRun(view)?.exemplars ?? [];
  if (exemplars.length === 0) return null;
  return html`<section aria-labelledby="published"><h2 id="published">On Neuronpedia</h2>
<div class="scroll" role="region" aria-labelledby="exemplars" tabindex="0"><table class="texts">
<caption id="exemplars">Texts that excite the unit most there: the largest activation as published, and by this model</caption>
<thead><tr><th scope="col">published</th><th scope="col">raw</th><th scope="col">text</th></tr></thead>
<tbody>${exemplars.map(
    ({ published, raw, text }) =>
      html`<tr><td>${decimal(published)}</td><td>${decimal(raw)}</td><td class="text">${visibleText(text)}</td></tr>`,
  )}</tbody></table></div>
</section>`;
}
