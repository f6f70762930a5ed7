/** @file Text with its white space to be seen, and figures as the report writes them. */
import { visiblePieces } from '../core/visible.js';
import { type Html, html } from './html.js';

/** What is said of the hidden characters that texts often have. */
const names: Readonly<Record<string, string>> = {
  '\n': 'line break',
  '\r\n': 'line break',
  '\r': 'carriage return',
  '\t': 'tab',
};

/** A text on one line, its spaces and its hidden characters marked. Copied, spaces are spaces. */
export function visibleText(text: string): Html {
  return html`${visiblePieces(text).map(({ text, hidden }) =>
    hidden === null
      ? // A space stays what it is, with the mark drawn over it by the style sheet.
        text.split(/( )/).map((part) => (part === ' ' ? html`<span class="space"> </span>` : part))
      : html`<span class="mark" title="${names[hidden] ?? 'hidden character'}">${text}</span>`,
  )}`;
}

/** Two decimals, with a real minus sign. */
export function decimal(value: number, digits = 2): string {
  return value.toFixed(digits).replace('-', '−');
}

/** A figure, or a dash where there is none. */
export function decimalOrDash(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : decimal(value, digits);
}

/** Any magnitude in four digits. */
export function shortNumber(value: number): string {
  return Number(value.toPrecision(4)).toString().replace('-', '−');
}
