/** @file A text being typed, a filter or a candidate: what keys do to it. */
import type { Command } from './keys.js';
import type { CandidatePlace, RunsPlace, ViewPlace } from './places.js';

export type TypingPlace = (RunsPlace | CandidatePlace) & { readonly cursor: number };

export function isTyping(place: ViewPlace): place is TypingPlace {
  return (place.kind === 'runs' || place.kind === 'candidate') && place.cursor !== null;
}

function typedText(place: TypingPlace): string {
  return place.kind === 'runs' ? place.filter : place.text;
}

function withText(place: RunsPlace | CandidatePlace, text: string, cursor: number | null): ViewPlace {
  return place.kind === 'runs'
    ? { ...place, filter: text, cursor, selected: 0 }
    : { ...place, text, cursor, token: null };
}

/** The place after a command while a text is typed. */
export function edited(place: TypingPlace, command: Command): ViewPlace {
  const text = typedText(place);
  const { cursor } = place;
  const before = cursor - lengthBefore(text, cursor);
  switch (command) {
    case 'left':
      return { ...place, cursor: before };
    case 'right':
      return { ...place, cursor: cursor + ([...text.slice(cursor)][0]?.length ?? 0) };
    case 'first':
      return { ...place, cursor: 0 };
    case 'last':
      return { ...place, cursor: text.length };
    case 'erase':
      return withText(place, text.slice(0, before) + text.slice(cursor), before);
    case 'clear':
      return withText(place, '', 0);
    case 'newline':
      return withText(place, `${text.slice(0, cursor)}\n${text.slice(cursor)}`, cursor + 1);
    case 'accept':
      return { ...place, cursor: null };
    case 'back':
      return withText(place, place.kind === 'runs' ? '' : place.original, null);
    default:
      return place;
  }
}

/** UTF-16 units of the character before the cursor. */
function lengthBefore(text: string, cursor: number): number {
  return [...text.slice(0, cursor)].at(-1)?.length ?? 0;
}

/** The place after characters were typed, or pasted: control characters are left out. */
export function inserted(place: TypingPlace, input: string): ViewPlace {
  const text = typedText(place);
  const lines = input.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '');
  // A filter is one line.
  const clean = place.kind === 'runs' ? lines.replace(/\s+/g, ' ') : lines;
  const cursor = place.cursor + clean.length;
  return withText(place, text.slice(0, place.cursor) + clean + text.slice(place.cursor), cursor);
}
