/** @file The frontier of a search: its figure, the texts as a table, and the groups they fall into. */
import { z } from 'zod';
import { evenly } from '../../core/evenly.js';
import { formatCount } from '../../core/format.js';
import type { ScoredText } from '../../core/scored-text.js';
import { baselineLabel, jsonField } from '../../runs/run-view.js';
import { frontierFigure } from '../figures/frontier.js';
import { type Html, html } from '../html.js';
import { type ReportedRun, unitLabel } from '../reported-run.js';
import { decimal, decimalOrDash, visibleText } from '../visible-text.js';
import { explainedPlaces } from './explained.js';

/** Rows that a page can hold; of a longer frontier a part is shown. */
const MOST_ROWS = 150;
/** Groups, and texts of each. */
const MOST_CLUSTERS = 30;
const MOST_TEXTS = 20;

/** The scatter, or null for a run without texts. */
export function frontierSection(run: ReportedRun): Html | null {
  const { frontier, entries, baselines } = run.view;
  const texts = evenly(frontier, MOST_ROWS);
  const row = new Map<ScoredText, string>(texts.map((text, i) => [text, `#text-${i}`]));
  const members = new Set(frontier.map(({ text }) => text));
  const figure = frontierFigure(
    {
      unit: unitLabel(run),
      frontier,
      beaten: entries.filter(({ text }) => !members.has(text)),
      baselines,
    },
    { width: 720, height: 420, linkOf: (text) => row.get(text) },
  );
  if (!figure) return null;
  return html`<section aria-labelledby="frontier"><h2 id="frontier">Frontier</h2>
<p>Each point is a text that no other beats in probability, strength and margin together: left is more probable,
up is stronger. Text beyond 6 nats a token (shaded) reads as noise. Hover, or step with the arrow keys.</p>
<div class="plot">${figure}</div>
${textTable(run, texts)}
</section>`;
}

function textTable({ view }: ReportedRun, texts: readonly ScoredText[]): Html {
  const { frontier, baselines } = view;
  const explained = explainedPlaces(view);
  const cells = (text: ScoredText) => html`<td>${decimal(text.cross_entropy)}</td><td>${decimal(text.z)}</td>
<td>${decimalOrDash(text.margin)}</td><td>${text.rank ?? '–'}</td><td class="text">${linked(text, explained)}</td>`;
  const more = frontier.length - texts.length;
  return html`<div class="scroll tall" role="region" aria-labelledby="texts" tabindex="0"><table class="texts">
<caption id="texts">Texts of the frontier, the most probable first${more > 0 && `; ${formatCount(more)} between them left out`}</caption>
<thead><tr><th scope="col">nats</th><th scope="col">z</th><th scope="col">margin</th><th scope="col">rank</th><th scope="col">text</th></tr></thead>
<tbody>${texts.map((text, i) => html`<tr id="text-${i}">${cells(text)}</tr>`)}</tbody>
${[...baselines].map(
  ([name, text]) =>
    text &&
    html`<tbody class="baseline"><tr><th colspan="5" scope="rowgroup">${baselineLabel(name)}</th></tr><tr>${cells(text)}</tr></tbody>`,
)}</table></div>`;
}

function linked({ text }: Pick<ScoredText, 'text'>, explained: ReadonlyMap<string, number>): Html {
  const place = explained.get(text);
  return place === undefined
    ? visibleText(text)
    : html`<a href="#explained-${place}">${visibleText(text)}</a>`;
}

const tokenValue = z.object({ token: z.string(), value: z.number() });
const clusterList = z.array(
  z.object({
    tokens: z.array(tokenValue),
    texts: z.array(z.object({ text: z.string(), z: z.number() })),
  }),
);

/** What the explained texts rest on, group by group, as the result has it. */
export function clusterSection({ view, result }: ReportedRun): Html | null {
  const all = clusterList.safeParse(jsonField(result, 'clusters')).data ?? [];
  return clusterTable(all, explainedPlaces(view));
}

/** Groups of texts, or null where there are none. @param place - as `explainedPlaces` */
export function clusterTable(
  all: z.output<typeof clusterList>,
  place: ReadonlyMap<string, number>,
): Html | null {
  if (all.length === 0) return null;
  const clusters = all.slice(0, MOST_CLUSTERS);
  const more = all.length - clusters.length;
  return html`<section aria-labelledby="clusters"><h2 id="clusters">What carries the texts</h2>
<p>A token carries a text as far as z falls when likely other tokens stand in its place. Texts that rest on the same
tokens form a group: a unit that responds to several things has several.${more > 0 && ` ${formatCount(more)} more groups are not shown.`}</p>
<ul class="clusters">${clusters.map(
    ({ tokens, texts }) => html`<li><p class="carriers">${
      tokens.length === 0
        ? 'no single token matters'
        : tokens.map(
            ({ token, value }) =>
              html`<span><code>${visibleText(token)}</code> ${decimal(value, 1)}σ</span> `,
          )
    }</p>
<ul>${evenly(texts, MOST_TEXTS).map(
      ({ text, z }) => html`<li>z ${decimal(z, 1)}: ${linked({ text }, place)}</li>`,
    )}${texts.length > MOST_TEXTS && html`<li>${formatCount(texts.length - MOST_TEXTS)} more between them</li>`}</ul></li>`,
  )}</ul></section>`;
}
