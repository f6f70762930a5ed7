/** @file The evidence beside a text: its tokens coloured, what each carries, rivals, logits written. */
import { evenly, extent } from '../../core/evenly.js';
import type { Explanation, TokenValue } from '../../core/explanation.js';
import { formatCount } from '../../core/format.js';
import type { RunView } from '../../runs/run-view.js';
import { substitutionDrops } from '../../text/readouts/clusters.js';
import { barCell, barTable } from '../bars.js';
import { type Content, type Html, html, trusted } from '../html.js';
import { COLOR_STEPS, MOST_SURPRISE, strengthClass, surpriseClass } from '../palette.js';
import type { ReportedRun } from '../reported-run.js';
import { decimal, decimalOrDash, visibleText } from '../visible-text.js';

/** Texts that a page explains: some hundred kilobytes. */
const MOST_TEXTS = 40;

const shownExplanations = ({ explanations }: RunView): readonly Explanation[] =>
  evenly([...explanations.values()], MOST_TEXTS);

/** The number in `#explained-…` of each text that the page explains. */
export const explainedPlaces = (view: RunView): ReadonlyMap<string, number> =>
  new Map(shownExplanations(view).map(({ text }, i) => [text, i]));

/** The explained texts, of very many some, or null where there are none. */
export function explainedSection({ view }: ReportedRun): Html | null {
  const explanations = shownExplanations(view);
  const more = view.seen.explanations - explanations.length;
  const note =
    more > 0 && html`<p>${formatCount(more)} more explained texts are not shown: events.jsonl has them.</p>`;
  return explainedTexts(explanations, note);
}

/** Texts with their evidence, or null where there are none. @param note - stands above them */
export function explainedTexts(explanations: readonly Explanation[], note: Content = null): Html | null {
  if (explanations.length === 0) return null;
  // One scale for all texts, so that they can be compared.
  const [, most] = extent(explanations.flatMap(({ z }) => z.map((value) => Math.abs(value ?? 0))));
  return html`<section aria-labelledby="explained"><h2 id="explained">Texts, token by token</h2>
${note}
<fieldset class="switch"><legend>Colour tokens by</legend>
<label><input type="radio" name="colour" id="by-strength" checked> the unit's value</label>
<label><input type="radio" name="colour" id="by-surprise"> log-probability</label></fieldset>
${scales(most)}
${explanations.map((explanation, i) => explainedText(explanation, i, most))}
</section>`;
}

function scales(most: number): Html {
  const steps = (from: number) => Array.from({ length: COLOR_STEPS - from + 1 }, (_, i) => from + i);
  return html`<p class="scale strength" aria-hidden="true">${decimal(-most, 1)}σ ${steps(-COLOR_STEPS).map((step) => html`<i class="z${step}"> </i>`)} ${decimal(most, 1)}σ</p>
<p class="scale surprise" aria-hidden="true">likely ${steps(0).map((step) => html`<i class="p${step}"> </i>`)} −ln p of ${MOST_SURPRISE} nats or more</p>`;
}

function explainedText(explanation: Explanation, index: number, most: number): Html {
  const { text, tokens, z, logprobs, peak, score, cross_entropy, margin, rank, logits, ablation } =
    explanation;
  const chips = tokens.map((token, i) =>
    tokenChip(token, i === peak.position ? 'peak' : i === 0 ? 'start' : null, most, z[i], logprobs[i]),
  );
  return html`<article class="explained" aria-labelledby="explained-${index}">
<h3 id="explained-${index}">${visibleText(text)}</h3>
<p class="figures">z ${decimal(score)} · ${decimal(cross_entropy)} nats a token · margin ${decimalOrDash(margin)} · rank ${rank ?? '–'}${ablation && ablationNote(ablation)}</p>
<p class="tokens">${chips}</p>
${tokenTable(explanation, index === 0)}
<div class="columns">${rivalTable(explanation)}${
    logits && [
      logitTable('Logits it raises most', logits.top),
      logitTable('Logits it lowers most', logits.bottom),
    ]
  }</div>
</article>`;
}

/**
 * A token in the colour of its value.
 *
 * @param most - the value of the strongest colour
 * @param logProb - left out where it is not known
 */
export function tokenChip(
  token: string,
  role: 'peak' | 'start' | null,
  most: number,
  value: number | null = null,
  logProb?: number | null,
): Html {
  const colour = `${strengthClass(value ?? 0, most)} ${logProb === undefined ? '' : surpriseClass(logProb ?? 0)}`;
  const said = `z ${decimalOrDash(value)}${logProb === undefined ? '' : `, ln p ${decimalOrDash(logProb)}`}`;
  return html`<span class="token ${role ?? ''} ${colour}" data-tip="${said}${role === 'peak' && ', the peak'}">${visibleText(token)}</span>`;
}

function ablationNote(ablation: readonly number[]): string {
  const mean = ablation.slice(1).reduce((sum, value) => sum + value, 0) / Math.max(1, ablation.length - 1);
  return ` · mean ablation changes the predictions by ${decimal(mean, 3)} nats a token`;
}

/** A row a token: its figures, what a head at the peak read of it, and what happens when it is replaced. */
function tokenTable(explanation: Explanation, open: boolean): Html {
  const { tokens, z, logprobs, attention, substitutions, peak } = explanation;
  const drops = substitutionDrops(explanation);
  const largest = (values: readonly (number | null)[]) =>
    extent(values.map((value) => Math.abs(value ?? 0)))[1];
  const [mostZ, mostDrop] = [largest(z), largest(drops)];
  const mostBrought = attention ? largest(attention.contribution) : 0;
  const replaced = substitutions.some((tried) => tried.length > 0);
  return html`<details${open && trusted(' open')}><summary>Tokens${attention && ', what the head read at the peak,'} and replacements</summary>
<div class="scroll" role="region" aria-label="Figures of every token" tabindex="0"><table class="by-token">
<thead><tr><th scope="col">token</th><th scope="col">z</th><th scope="col">ln p</th>${
    attention && html`<th scope="col">attention</th><th scope="col">brought (norm)</th>`
  }${replaced && html`<th scope="col">z lost without</th><th scope="col">replaced by</th>`}</tr></thead>
<tbody>${tokens.map(
    (token, i) =>
      html`<tr class="${i === peak.position && 'own'}"><th scope="row">${visibleText(token)}${
        i === peak.position && html` <span class="peak-name">peak</span>`
      }</th>${barCell(z[i] ?? null, mostZ)}<td>${decimalOrDash(logprobs[i])}</td>${
        attention && [
          barCell(attention.weight[i] ?? null, 1),
          barCell(attention.contribution[i] ?? null, mostBrought),
        ]
      }${replaced && html`${barCell(drops[i] ?? null, mostDrop)}<td class="replacements">${replacements(substitutions[i] ?? [])}</td>`}</tr>`,
  )}</tbody></table></div></details>`;
}

function replacements(tried: readonly TokenValue[]): Html {
  return html`${tried.map(({ token, value }) => html`<span><code>${visibleText(token)}</code> ${decimal(value, 1)}</span> `)}`;
}

function rivalTable({ unit, score, rivals }: Explanation): Html | null {
  if (rivals.length === 0) return null;
  const rows = [
    { name: unit, value: score, own: true },
    ...rivals.map((rival) => ({ name: rival.unit, value: rival.z })),
  ];
  return barTable(
    'The unit and its strongest rivals',
    ['unit', 'z'],
    rows.sort((a, b) => b.value - a.value),
  );
}

function logitTable(caption: string, tokens: readonly TokenValue[]): Html {
  return barTable(
    caption,
    ['token', 'change'],
    tokens.map(({ token, value }) => ({ name: html`<code>${visibleText(token)}</code>`, value })),
  );
}
