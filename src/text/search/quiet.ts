/** @file Texts that the unit should be quieter on than on what is found: given, or read from files. */
import { existsSync, statSync } from 'node:fs';
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { textLines } from '../../core/text-lines.js';
import { batchFor } from '../lm/batch-size.js';
import { encodeText } from '../lm/encode-text.js';
import { stackRows } from '../lm/rows.js';
import type { TextSubject } from '../lm/subject.js';
import type { Probe } from '../readouts/probe.js';

/** Texts of one search. */
const MOST_TEXTS = 5000;

/**
 * What `--quiet-on` was given: each a text, or a file with one per line; empty lines are left out.
 *
 * @throws UserError for what looks like a file and cannot be read as text, UsageError for too many texts
 */
export async function quietTexts(given: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const text of given) {
    if (!isFileName(text)) texts.push(text);
    else
      for await (const line of textLines(text)) {
        if (line.trim() !== '') texts.push(line);
        if (texts.length > MOST_TEXTS)
          throw new UsageError(
            `${field('quietOn')} has more than ${MOST_TEXTS} texts (${text}): give those that matter most`,
          );
      }
  }
  return texts;
}

/** Anything there but a folder, and what is written as the name of a text file or as a path. */
function isFileName(text: string): boolean {
  if (existsSync(text) && !statSync(text).isDirectory()) return true;
  return (
    !text.includes('\n') &&
    (/\.(txt|text|md|csv|tsv|jsonl?|gz)$/i.test(text) || /^(~|\.{0,2})\/\S/.test(text))
  );
}

/**
 * The largest z of the unit over some texts; null for none. Texts of one length are scored together.
 *
 * @throws the signal's reason
 */
export async function loudest(
  probe: Probe,
  subject: TextSubject,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<number | null> {
  const byLength = new Map<number, Int32Array[]>();
  for (const text of texts) {
    const ids = encodeText(subject, text);
    const same = byLength.get(ids.length);
    if (same) same.push(ids);
    else byLength.set(ids.length, [ids]);
  }
  let top: number | null = null;
  for (const [length, rows] of byLength) {
    const batch = Math.min(rows.length, batchFor(subject.spec.dModel, length));
    for (let start = 0; start < rows.length; start += batch) {
      signal?.throwIfAborted();
      const { z } = await probe.score(stackRows(rows.slice(start, start + batch)), length, batch);
      top = z.reduce<number>((most, each) => Math.max(most, each), top ?? Number.NEGATIVE_INFINITY);
    }
  }
  return top;
}
