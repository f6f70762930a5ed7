/** @file HTML and SVG by template literals. Whatever is put into a template is escaped here, and only here. */
import { visibleLines } from '../core/visible.js';

/** Markup that is safe to put into a page. */
export class Html {
  constructor(readonly markup: string) {}

  toString(): string {
    return this.markup;
  }
}

/** What a template takes: markup as it is, lists one after the other, nothing for null and false, all else as text. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/**
 * A piece of a page: ``html`<b title="${anything}">${anything}</b>` ``. Attributes must stand in double quotes. SVG is
 * written the same way.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((whole, part, i) => whole + render(values[i - 1]) + part));
}

/** Markup that this program wrote itself: a style sheet, a script, the `d` of a path. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Html) return content.markup;
  if (typeof content === 'object') return content.map(render).join('');
  return escapeText(String(content));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML and XML take it, in elements and in attributes; what they cannot hold, or nobody would see, is a sign. */
export function escapeText(text: string): string {
  return visibleLines(text).replace(/[&<>"']/g, (character) => entities[character]!);
}
