/** @file Text with its white space to be seen, and figures as the report writes them. */
import { type Html, html } from './html.js';

const marks: Readonly<Record<string, { mark: string; name: string }>> = {
  ' ': { mark: '·', name: 'space' },
  '\n': { mark: '⏎', name: 'line break' },
  '\r': { mark: '␍', name: 'carriage return' },
  '\t': { mark: '⇥', name: 'tab' },
};

/** A text whose spaces, line breaks and tabs are marked. Copied, spaces are spaces. */
export function visibleText(text: string): Html {
  const parts = text.match(/[ \n\r\t]|[^ \n\r\t]+/g) ?? [];
  return html`${parts.map((part) => {
    const known = marks[part];
    if (!known) return part;
    // A space stays what it is, with the mark drawn over it by the style sheet.
    if (part === ' ') return html`<span class="space"> </span>`;
    return html`<span class="mark" title="${known.name}">${known.mark}</span>`;
  })}`;
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
