/** @file A page of one unit of an atlas. */
import { extent } from '../../core/evenly.js';
import { HYPERVOLUME_CORNER } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { AtlasExample, AtlasFound, AtlasUnit } from '../../text/atlas/atlas-unit.js';
import type { HeadStatistics } from '../../text/atlas/head-statistics.js';
import { barTable } from '../bars.js';
import { frontierFigure } from '../figures/frontier.js';
import { type Html, html } from '../html.js';
import { explainedTexts, tokenChip } from '../sections/explained.js';
import { clusterTable } from '../sections/frontier.js';
import { decimal, decimalOrDash, shortNumber, visibleText } from '../visible-text.js';
import { siteDocument } from './site-document.js';

/** A unit's neighbour in the index. */
export interface Neighbour {
  readonly unit: string;
  /** Its page, beside this one. */
  readonly page: string;
}

export interface UnitPlace {
  readonly model: string;
  readonly previous: Neighbour | null;
  readonly next: Neighbour | null;
}

export function unitPage(unit: AtlasUnit, place: UnitPlace): string {
  const body = html`<header>${siteNavigation(place)}
<h1>${unit.unit} <small>of ${place.model}</small></h1>
${facts(unit)}</header>
<main>${[
    frontierOf(unit),
    clusterTable(unit.clusters, new Map(unit.explanations.map(({ text }, i) => [text, i]))),
    explainedTexts(unit.explanations),
    examplesOf(unit),
    unit.head && headOf(unit.head),
  ]}</main>`;
  return siteDocument(`${unit.unit} · ${place.model} · atlas`, '..', body);
}

/** Links to the index and to the neighbours. */
export function siteNavigation({ previous, next }: Pick<UnitPlace, 'previous' | 'next'>): Html {
  const link = (to: Neighbour | null, rel: string, label: string) =>
    to && html`<a rel="${rel}" href="${to.page}">${label} ${to.unit}</a>`;
  return html`<nav class="site" aria-label="Atlas"><a rel="up" href="../index.html">All units</a>
${link(previous, 'prev', '←')} ${link(next, 'next', '→')}
<span class="keys">keys: <kbd>p</kbd> <kbd>n</kbd> <kbd>i</kbd></span></nav>`;
}

function facts({ frontier, hypervolume, mean, standard_deviation }: AtlasUnit): Html {
  const below = (nats: number) =>
    frontier
      .filter((text) => text.cross_entropy < nats)
      .reduce((most, { z }) => Math.max(most, z), -Infinity);
  const margin = frontier.reduce((most, text) => Math.max(most, text.margin ?? -Infinity), -Infinity);
  const entries: [string, string][] = [
    ['hypervolume, nats × σ', decimalOrDash(hypervolume, 1)],
    ['best z below 4 nats', decimalOrDash(below(4))],
    [`below ${HYPERVOLUME_CORNER.crossEntropy} nats`, decimalOrDash(below(HYPERVOLUME_CORNER.crossEntropy))],
    ['largest margin', decimalOrDash(margin)],
    ['mean, standard deviation', `${shortNumber(mean)}, ${shortNumber(standard_deviation)}`],
  ];
  return html`<dl class="facts">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function frontierOf({ unit, frontier, explanations }: AtlasUnit): Html {
  if (frontier.length === 0)
    return html`<p>No text was found that excites this unit more than ordinary text does.</p>`;
  const rows = new Map<ScoredText, string>(frontier.map((text, i) => [scored(text), `#text-${i}`]));
  const figure = frontierFigure(
    { unit, frontier: [...rows.keys()], beaten: [], baselines: new Map() },
    { width: 720, height: 380, linkOf: (text) => rows.get(text) },
  );
  const explained = new Map(explanations.map(({ text }, i) => [text, i]));
  return html`<section aria-labelledby="frontier"><h2 id="frontier">Frontier</h2>
<p>Each point is a text that no other beats in probability, strength and margin together: left is more probable,
up is stronger. Text beyond 6 nats a token (shaded) reads as noise. Hover, or step with the arrow keys.</p>
<div class="plot">${figure}</div>
<div class="scroll tall" role="region" aria-labelledby="texts" tabindex="0"><table class="texts">
<caption id="texts">Texts of the frontier, the most probable first</caption>
<thead><tr>${['nats', 'z', 'margin', 'rank', 'from', 'text'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${frontier.map((text, i) => textRow(text, i, explained.get(text.text)))}</tbody></table></div></section>`;
}

function textRow(text: AtlasFound, row: number, explained: number | undefined): Html {
  const shown = visibleText(text.text);
  return html`<tr id="text-${row}"><td>${decimal(text.cross_entropy)}</td><td>${decimal(text.z)}</td>
<td>${decimalOrDash(text.margin)}</td><td>${text.rank ?? '–'}</td><td>${text.source}</td>
<td class="text">${explained === undefined ? shown : html`<a href="#explained-${explained}">${shown}</a>`}</td></tr>`;
}

const scored = ({ text, cross_entropy, z, margin, rank }: AtlasFound): ScoredText => ({
  text,
  cross_entropy,
  z,
  margin,
  rank,
  raw: z,
  token_ids: [],
});

function examplesOf({ examples }: AtlasUnit): Html | null {
  if (examples.length === 0) return null;
  const [, most] = extent(examples.flatMap(({ z_by_token }) => z_by_token.map(Math.abs)));
  return html`<section aria-labelledby="examples"><h2 id="examples">In the corpus</h2>
<p>The windows of the user's text that excite the unit most.</p>
<ul class="examples">${examples.map((example) => exampleOf(example, most))}</ul></section>`;
}

function exampleOf({ tokens, z_by_token, z, cross_entropy, margin }: AtlasExample, most: number): Html {
  const peak = z_by_token.reduce((best, value, i) => (value > z_by_token[best]! ? i : best), 0);
  const chips = tokens.map((token, i) => tokenChip(token, i === peak ? 'peak' : null, most, z_by_token[i]));
  return html`<li><span class="figures">z ${decimal(z)} · ${decimal(cross_entropy)} nats · margin ${decimalOrDash(margin)}</span>
<span class="tokens">${chips}</span></li>`;
}

function headOf(head: HeadStatistics): Html {
  const shares: [string, number][] = [
    ['the position itself', head.self],
    ['the token before', head.previous],
    ['the start token', head.start],
    ['induction: what followed the token last time', head.induction],
  ];
  const distances = head.distance.map((share, far) => ({
    name: far === 0 ? 'itself' : `${far} before`,
    value: share,
  }));
  return html`<section aria-labelledby="head"><h2 id="head">Where the head looks</h2>
<p>Shares of its attention, averaged over samples of the model; induction over random tokens that come twice. Its entropy is
${decimal(head.entropy)} nats of ${decimal(head.most_entropy)} that it could have.</p>
<div class="columns">${barTable(
    'Attention to',
    ['what', 'share'],
    shares.map(([name, value]) => ({ name, value })),
  )}${barTable('Distance from query to key, the start token left out', ['distance', 'share'], distances)}</div></section>`;
}
