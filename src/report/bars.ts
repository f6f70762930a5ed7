/** @file Figures with a bar behind them: cells of tables. */
import { extent } from '../core/evenly.js';
import { type Content, type Html, html } from './html.js';
import { decimal } from './visible-text.js';

/** A cell with a figure and a bar from 0; a negative figure has a bar of the other colour. */
export function barCell(value: number | null, most: number, digits = 2): Html {
  if (value === null || !Number.isFinite(value)) return html`<td class="bar">–</td>`;
  const share = Math.min(100, Math.round((100 * Math.abs(value)) / (most || 1)));
  const kind = value < 0 ? 'bar below' : 'bar';
  return html`<td class="${kind}" style="--share:${share}%">${decimal(value, digits)}</td>`;
}

export interface BarRow {
  readonly name: Content;
  readonly value: number;
  /** The row that the others are compared with. */
  readonly own?: boolean;
}

/** A table of names and bars. */
export function barTable(caption: string, columns: readonly [string, string], rows: readonly BarRow[]): Html {
  const most = extent(rows.map(({ value }) => Math.abs(value)))[1];
  return html`<table class="bars"><caption>${caption}</caption>
<thead><tr><th scope="col">${columns[0]}</th><th scope="col">${columns[1]}</th></tr></thead>
<tbody>${rows.map(
    ({ name, value, own }) =>
      html`<tr class="${own ? 'own' : ''}"><th scope="row">${name}</th>${barCell(value, most)}</tr>`,
  )}</tbody></table>`;
}
