/** @file The frontier as a scatter: nats a token against sigmas, the prior's and the corpus's best beside it. */
import { curveStepAfter, line, symbol, symbolDiamond, symbolTriangle } from 'd3-shape';
import { evenly, extent } from '../../core/evenly.js';
import { counted, formatCount } from '../../core/format.js';
import { fluencyFront, HYPERVOLUME_CORNER } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { visible } from '../../core/visible.js';
import { baselineLabel } from '../../runs/run-view.js';
import { type Html, html, trusted } from '../html.js';
import { decimal } from '../visible-text.js';
import { type LegendEntry, legend, type PlotArea, plotArea, roundPixel } from './axes.js';

export interface FrontierData {
  readonly unit: string;
  readonly frontier: readonly ScoredText[];
  /** Candidates that better ones have replaced. */
  readonly beaten: readonly ScoredText[];
  /** By name: `prior_best`, `corpus_best`. */
  readonly baselines: ReadonlyMap<string, ScoredText | null>;
}

export interface FrontierOptions {
  readonly width: number;
  readonly height: number;
  /** The address of a text's evidence; points without one are no links. */
  readonly linkOf?: (text: ScoredText) => string | undefined;
}

/** A figure with more dots of a kind than this grows heavy and shows no more. */
const MOST_DOTS = 600;

const baselineSymbols = new Map([
  ['prior_best', symbolDiamond],
  ['corpus_best', symbolTriangle],
]);

/** The figure, or null where there is nothing to draw. */
export function frontierFigure(data: FrontierData, options: FrontierOptions): Html | null {
  const finite = ({ cross_entropy, z }: ScoredText) => Number.isFinite(cross_entropy) && Number.isFinite(z);
  const frontier = data.frontier.filter(finite);
  const beaten = evenly(data.beaten.filter(finite), MOST_DOTS);
  const baselines = [...data.baselines].flatMap(([name, text]) => {
    const type = baselineSymbols.get(name);
    return text && finite(text) && type ? [{ text, label: baselineLabel(name), type }] : [];
  });
  const all = [...frontier, ...beaten, ...baselines.map(({ text }) => text)];
  if (all.length === 0) return null;
  const [left, right] = extent(all.map((text) => text.cross_entropy));
  const [lowest, highest] = extent(all.map(({ z }) => z));
  const plot = plotArea(
    options.width,
    options.height,
    {
      title: 'cross entropy, nats a token',
      from: Math.min(left, HYPERVOLUME_CORNER.crossEntropy - 1),
      to: Math.max(right, HYPERVOLUME_CORNER.crossEntropy),
    },
    { title: `z of ${data.unit}, sigmas`, from: Math.min(0, lowest), to: Math.max(1, highest) },
  );
  const { x, y } = plot;
  const front = evenly(fluencyFront(frontier), MOST_DOTS);
  const step = line<ScoredText>(
    (text) => roundPixel(x(text.cross_entropy)),
    (text) => roundPixel(y(text.z)),
  ).curve(curveStepAfter)(front);
  const at = (text: ScoredText) => `translate(${roundPixel(x(text.cross_entropy))} ${roundPixel(y(text.z))})`;
  const strongest = front.at(-1);
  const [linked, others] = [true, false].map((is) =>
    frontier.filter((text) => (options.linkOf?.(text) !== undefined) === is),
  ) as [ScoredText[], ScoredText[]];
  const drawn = [...evenly(others, MOST_DOTS), ...linked];
  const summary =
    `Scatter of ${counted(frontier.length, 'text')} on the frontier of ${data.unit}` +
    (strongest
      ? `, up to ${decimal(strongest.z)} sigmas at ${decimal(strongest.cross_entropy)} nats a token`
      : '') +
    (drawn.length < frontier.length ? `; ${formatCount(drawn.length)} of them drawn` : '');

  return html`<svg class="figure" viewBox="0 0 ${plot.width} ${plot.height}" role="group" aria-label="${summary}" xmlns="http://www.w3.org/2000/svg">
${corner(plot)}
${plot.axes}
${beaten.map((text) => html`<circle class="beaten" r="2" cx="${roundPixel(x(text.cross_entropy))}" cy="${roundPixel(y(text.z))}"/>`)}
<path class="front" d="${trusted(step ?? '')}"/>
${baselines.map(({ text, label, type }) => html`<g class="point baseline" transform="${at(text)}" role="img" tabindex="0" aria-label="${label}: ${tip(text)}" data-tip="${label}: ${tip(text)}"><path d="${trusted(symbol(type, 110)() ?? '')}"/></g>`)}
${drawn.map((text) => point(text, at(text), options.linkOf?.(text)))}
${legend(legendOf(data, beaten.length > 0, baselines))}
</svg>`;
}

/** A text of the frontier; filled where its unit is the strongest of its class. */
function point(text: ScoredText, place: string, link: string | undefined): Html {
  const kind = text.rank === 1 ? 'point selective' : 'point';
  const mark = html`<circle r="4.5"/>`;
  if (link === undefined) return html`<g class="${kind}" transform="${place}">${mark}</g>`;
  const said = tip(text);
  return html`<a class="${kind}" href="${link}" transform="${place}" aria-label="${said}" data-tip="${said}">${mark}</a>`;
}

function legendOf(
  { frontier }: FrontierData,
  hasBeaten: boolean,
  baselines: readonly { label: string; type: typeof symbolDiamond }[],
): LegendEntry[] {
  const dot = (kind: string, radius: number) => (cx: number, cy: number) =>
    html`<g class="${kind}" transform="translate(${cx} ${cy})"><circle class="${kind}" r="${radius}"/></g>`;
  const selective = frontier.some(({ rank }) => rank === 1);
  const others = frontier.some(({ rank }) => rank !== 1);
  return [
    ...(selective ? [{ mark: dot('point selective', 4.5), label: 'strongest of its class' }] : []),
    ...(others ? [{ mark: dot('point', 4.5), label: selective ? 'not the strongest' : 'frontier' }] : []),
    ...(hasBeaten ? [{ mark: dot('beaten', 2), label: 'beaten later' }] : []),
    ...baselines.map(({ label, type }) => ({
      mark: (cx: number, cy: number) =>
        html`<g class="point baseline" transform="translate(${cx} ${cy})"><path d="${trusted(symbol(type, 80)() ?? '')}"/></g>`,
      label,
    })),
  ];
}

/** The corner of the hypervolume: text beyond it does not count. */
function corner({ x, y }: PlotArea): Html {
  const [left, right] = [roundPixel(x(HYPERVOLUME_CORNER.crossEntropy)), roundPixel(x.range()[1]!)];
  const [bottom, top] = y.range() as [number, number];
  return html`<rect class="beyond" x="${left}" y="${top}" width="${Math.max(0, right - left)}" height="${bottom - top}"/>`;
}

/** What is said of a point when it is hovered over or in focus. */
function tip({ text, cross_entropy, z, margin, rank }: ScoredText): string {
  const rivals = margin === null ? '' : `, margin ${decimal(margin)}, rank ${rank}`;
  return `${visible(text)}\nz ${decimal(z)} at ${decimal(cross_entropy)} nats${rivals}`;
}
