/** @file Many runs on one page, each with a small figure and a link to its own page. */

import { HYPERVOLUME_CORNER } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import { field } from '../runs/run-view.js';
import { embedFinal } from './embedded-pictures.js';
import { frontierThumbnail } from './figures/thumbnail.js';
import { type Html, html } from './html.js';
import { document } from './page.js';
import { type ReportedRun, taskOf, unitLabel } from './reported-run.js';
import { activationSeries } from './sections/pictures.js';
import { decimalOrDash, shortNumber, visibleText } from './visible-text.js';

export interface IndexedRun {
  readonly run: ReportedRun;
  /** Where its page is, relative to the index. */
  readonly link: string;
}

/** Nats a token below which a text reads well. */
const READABLE = 4;
const THUMBNAIL = 96;

/** A page over many runs. */
export async function indexPage(runs: readonly IndexedRun[]): Promise<string> {
  const strongest = Math.max(1, ...runs.flatMap(({ run }) => run.view.frontier.map(({ z }) => z)));
  const rows = [];
  for (const indexed of runs) rows.push(await row(indexed, strongest));
  const body = html`<header><h1>${runs.length} runs</h1>
<p>Hypervolume is in nats times sigmas. Frontiers are drawn to one scale: 0 to ${HYPERVOLUME_CORNER.crossEntropy} nats a
token, 0 to ${shortNumber(strongest)} sigmas.</p></header>
<main><div class="scroll" role="region" aria-label="Runs" tabindex="0"><table class="index">
<thead><tr>${[
    'unit',
    'model',
    'task',
    'state',
    '',
    'hypervolume',
    `best z below ${READABLE} nats`,
    `below ${HYPERVOLUME_CORNER.crossEntropy} nats`,
    'strongest fluent text, or result',
  ].map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></main>`;
  return document(`${runs.length} runs · superstimulus`, body);
}

async function row({ run, link }: IndexedRun, strongest: number): Promise<Html> {
  const { description, view, state, missing } = run;
  const best = strongestBelow(view.frontier, HYPERVOLUME_CORNER.crossEntropy);
  const hypervolume = field(run.result, 'hypervolume');
  const picture = await embedFinal(run, THUMBNAIL);
  const thumbnail = picture
    ? html`<img src="${picture.source}" width="${picture.width}" height="${picture.height}" alt="Picture of ${unitLabel(run)}">`
    : frontierThumbnail(view.frontier, strongest);
  return html`<tr><th scope="row"><a href="${link}">${unitLabel(run)}</a></th><td>${description?.model?.name ?? '–'}</td>
<td>${[taskOf(run), view.method].filter(Boolean).join(', ') || '–'}</td>
<td>${state === 'open' ? 'no end' : state}${missing.length > 0 && html` <span title="${missing.join('; ')}">(incomplete)</span>`}</td><td>${thumbnail}</td>
<td>${decimalOrDash(typeof hypervolume === 'number' ? hypervolume : null, 1)}</td>
<td>${decimalOrDash(strongestBelow(view.frontier, READABLE)?.z)}</td><td>${decimalOrDash(best?.z)}</td>
<td class="text">${best ? visibleText(best.text) : outcome(run)}</td></tr>`;
}

function strongestBelow(frontier: readonly ScoredText[], nats: number): ScoredText | null {
  const below = frontier.filter(({ cross_entropy }) => cross_entropy < nats);
  return below.length === 0 ? null : below.reduce((a, b) => (b.z > a.z ? b : a));
}

/** What a run without texts came to. */
function outcome(run: ReportedRun): string {
  const { values } = activationSeries(run);
  return values.length === 0 ? '' : `activation ${shortNumber(values[0]!)} to ${shortNumber(values.at(-1)!)}`;
}
