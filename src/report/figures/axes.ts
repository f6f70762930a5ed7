/** @file The frame that figures have in common: linear axes with ticks, grid and titles, as SVG. */
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { type Content, type Html, html } from '../html.js';

export interface Axis {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

export interface PlotArea {
  readonly width: number;
  readonly height: number;
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
  /** Grid, ticks and titles. */
  readonly axes: Html;
}

const margin = { top: 34, right: 14, bottom: 44, left: 54 } as const;

/** A frame for values within two axes; both are widened to round numbers. */
export function plotArea(width: number, height: number, horizontal: Axis, vertical: Axis): PlotArea {
  const x = scaleLinear()
    .domain([horizontal.from, horizontal.to])
    .nice()
    .range([margin.left, width - margin.right]);
  const y = scaleLinear()
    .domain([vertical.from, vertical.to])
    .nice()
    .range([height - margin.bottom, margin.top]);
  const [left, right, bottom, top] = [margin.left, width - margin.right, height - margin.bottom, margin.top];
  const columns = tickMarks(x, Math.max(3, Math.floor(width / 90)));
  const rows = tickMarks(y, Math.max(3, Math.floor(height / 60)));
  const middle = (top + bottom) / 2;
  const axes = html`<g class="axes" aria-hidden="true">
${columns.map(({ at, label }) => html`<path class="grid" d="M${at} ${top}V${bottom}"/><text x="${at}" y="${bottom + 16}" text-anchor="middle">${label}</text>`)}
${rows.map(({ at, label }) => html`<path class="grid" d="M${left} ${at}H${right}"/><text x="${left - 7}" y="${at + 4}" text-anchor="end">${label}</text>`)}
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
<text x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${horizontal.title}</text>
<text x="14" y="${middle}" text-anchor="middle" transform="rotate(-90 14 ${middle})">${vertical.title}</text>
</g>`;
  return { width, height, x, y, axes };
}

function tickMarks(scale: ScaleLinear<number, number>, count: number): { at: number; label: string }[] {
  const format = scale.tickFormat(count);
  return scale.ticks(count).map((value) => ({ at: roundPixel(scale(value)), label: format(value) }));
}

/** Hundredths of a pixel are enough. */
export function roundPixel(value: number): number {
  return Math.round(value * 100) / 100;
}

export interface LegendEntry {
  readonly mark: (x: number, y: number) => Content;
  readonly label: string;
}

/** Marks and their meaning in a row above the plot, spaced by the length of the words. */
export function legend(entries: readonly LegendEntry[], y = 16): Html {
  let x = margin.left + 6;
  return html`<g class="legend">${entries.map(({ mark, label }) => {
    const at = x;
    x += 26 + label.length * 6.7;
    return html`${mark(at, y)}<text x="${at + 10}" y="${y + 4}">${label}</text>`;
  })}</g>`;
}
