/** @file Many runs on one page, each with a small figure and a link to its own page. */

import { evenly, extent } from '../core/evenly.js';
import { counted } from '../core/format.js';
import { fluencyFront, HYPERVOLUME_CORNER, strongestOf } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import { jsonField } from '../runs/run-view.js';
import { type EmbeddedPicture, embedFinal } from './embedded-pictures.js';
import { frontierThumbnail } from './figures/thumbnail.js';
import { type Html, html } from './html.js';
import { document } from './page.js';
import { type ReportedRun, taskLabel, unitLabel } from './reported-run.js';
import { activationSeries } from './sections/pictures.js';
import { decimalOrDash, shortNumber, visibleText } from './visible-text.js';

/** What a row of the index needs of a run, which may be large itself. */
export interface IndexedRun {
  readonly unit: string;
  readonly model: string;
  readonly task: string;
  readonly state: ReportedRun['state'];
  readonly missing: readonly string[];
  readonly hypervolume: number | null;
  /** What no more probable text beats; of very many some. */
  readonly front: readonly ScoredText[];
  readonly picture: EmbeddedPicture | null;
  /** What a run without texts came to. */
  readonly outcome: string;
}

/** A run in the index. */
export interface IndexRow extends IndexedRun {
  /** Where its page is, relative to the index. */
  readonly link: string;
}

/** Nats a token below which a text reads well. */
const READABLE = 4;
const THUMBNAIL = 96;

/** Texts of a front that a thumbnail can show. */
const MOST_TEXTS = 100;

export async function indexedRun(run: ReportedRun): Promise<IndexedRun> {
  const { description, view, state, missing } = run;
  const hypervolume = jsonField(run.result, 'hypervolume');
  return {
    unit: unitLabel(run),
    model: description?.model?.name ?? '–',
    task: [taskLabel(run), view.method].filter(Boolean).join(', ') || '–',
    state,
    missing,
    hypervolume: typeof hypervolume === 'number' ? hypervolume : null,
    front: evenly(fluencyFront(view.frontier), MOST_TEXTS),
    picture: await embedFinal(run, THUMBNAIL),
    outcome: outcome(run),
  };
}

/** A page over many runs. */
export function indexPage(runs: readonly IndexRow[]): string {
  const [, highest] = extent(runs.flatMap(({ front }) => front.map(({ z }) => z)));
  const strongest = Math.max(1, highest);
  const rows = runs.map((run) => row(run, strongest));
  const body = html`<header><h1>${counted(runs.length, 'run')}</h1>
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
  return document(`${counted(runs.length, 'run')} · superstimulus`, body);
}

function row(run: IndexRow, strongest: number): Html {
  const { unit, picture, front, state, missing } = run;
  const best = strongestBelow(front, HYPERVOLUME_CORNER.crossEntropy);
  const thumbnail = picture
    ? html`<img src="${picture.source}" width="${picture.width}" height="${picture.height}" alt="Picture of ${unit}">`
    : frontierThumbnail(front, strongest);
  return html`<tr><th scope="row"><a href="${run.link}">${unit}</a></th><td>${run.model}</td>
<td>${run.task}</td>
<td>${state === 'open' ? 'no end' : state}${missing.length > 0 && html` <span title="${missing.join('; ')}">(incomplete)</span>`}</td><td>${thumbnail}</td>
<td>${decimalOrDash(run.hypervolume, 1)}</td>
<td>${decimalOrDash(strongestBelow(front, READABLE)?.z)}</td><td>${decimalOrDash(best?.z)}</td>
<td class="text">${best ? visibleText(best.text) : run.outcome}</td></tr>`;
}

function strongestBelow(frontier: readonly ScoredText[], nats: number): ScoredText | null {
  return strongestOf(frontier.filter(({ cross_entropy }) => cross_entropy < nats));
}

/** What a run without texts came to. */
function outcome(run: ReportedRun): string {
  const { values } = activationSeries(run);
  return values.length === 0 ? '' : `activation ${shortNumber(values[0]!)} to ${shortNumber(values.at(-1)!)}`;
}
