/**
 * @file The columns that texts take on a terminal, by `string-width`: combining marks none, wide characters and emoji
 * two. Texts are `visible`.
 *
 * `string-width` and the segmenter take up to 8 microseconds a character, which drawing whole screens cannot afford:
 * widths are kept by cluster, and texts of characters that are one cluster and one column each are only counted.
 * Cutting is own code because slice-ansi, and so cli-truncate, give one column too many where a wide character is cut.
 */
import stringWidth from 'string-width';

/** ASCII, Latin letters and signs, punctuation, arrows, pictures of controls, boxes, blocks, shapes, braille. */
const singleColumns =
  /^[ -~\u00A1-\u00AC\u00AE-\u024F\u2010-\u2027\u2190-\u21FF\u2205\u2212\u23CE\u2400-\u2426\u2500-\u25FC\u2800-\u28FF]*$/;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Widths of clusters; texts repeat theirs, and a cluster more than this is measured anew. */
const KEPT = 20_000;
const widths = new Map<string, number>();

/** Columns that a text takes. */
export function textWidth(text: string): number {
  if (singleColumns.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += clusterWidth(segment);
  return width;
}

/** Cuts a text to at most so many columns, the last of them an ellipsis where something was cut. */
export function clip(text: string, columns: number): string {
  if (columns < 1) return '';
  if (singleColumns.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  let width = 0;
  // Where the text is cut if it turns out to be too long.
  let end = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    width += clusterWidth(segment);
    if (width > columns) return `${text.slice(0, end)}…`;
    if (width <= columns - 1) end = index + segment.length;
  }
  return text;
}

function clusterWidth(cluster: string): number {
  const known = widths.get(cluster);
  if (known !== undefined) return known;
  const width = stringWidth(cluster);
  if (widths.size < KEPT) widths.set(cluster, width);
  return width;
}
