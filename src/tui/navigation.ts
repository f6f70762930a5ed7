/** @file What a key changes about where one is: pure. */

import { candidateOrders } from '../runs/run-view.js';
import type { Command } from './keys.js';
import {
  type CandidatePlace,
  candidatePlace,
  type RunPlace,
  type RunsPlace,
  runPlace,
  type Side,
  shownPlace,
  type Ui,
  type ViewPlace,
} from './places.js';
import { runOrders } from './run-list.js';
import { edited, inserted, isTyping } from './typing.js';

/** What a key needs to know of what is shown. */
export interface Facts {
  /** Rows of the list, frames, or tokens. */
  readonly count: number;
  /** Rows of the list that are seen at once. */
  readonly page: number;
  /** What is selected: a run of the list, or a text of the run. */
  readonly chosen: Side | null;
  /** The selected token or frame. */
  readonly at: number;
  /** The texts before and after a candidate in its list. */
  readonly neighbours: readonly [string | null, string | null];
}

/** The state after a command. Commands that act on the world (quit, stop …) change nothing here. */
export function press(ui: Ui, command: Command, facts: Facts): Ui {
  const calm = { ...ui, notice: null };
  if (command === 'help') return { ...calm, help: !ui.help };
  if (ui.help) return { ...calm, help: false };
  if (command === 'color') return { ...calm, coloring: ui.coloring === 'z' ? 'logprob' : 'z' };
  const place = shownPlace(ui);
  if (isTyping(place)) return replace(calm, edited(place, command));
  if (command === 'back')
    return calm.places.length > 1 ? { ...calm, places: calm.places.slice(0, -1) } : calm;
  switch (place.kind) {
    case 'runs':
      return pressInRuns(calm, place, command, facts);
    case 'run':
      return pressInRun(calm, place, command, facts);
    case 'candidate':
      return pressInCandidate(calm, place, command, facts);
    case 'compare':
      return command === 'swap' ? replace(calm, { ...place, sides: [place.sides[1], place.sides[0]] }) : calm;
    default:
      return place satisfies never;
  }
}

/** What was typed or pasted goes in where the cursor stands. */
export function insert(ui: Ui, input: string): Ui {
  const place = shownPlace(ui);
  return isTyping(place) ? replace(ui, inserted(place, input)) : ui;
}

// -- lists -----------------------------------------------------------------------------------------------------

function pressInRuns(ui: Ui, place: RunsPlace, command: Command, facts: Facts): Ui {
  const selected = moved(command, Math.min(place.selected, facts.count - 1), facts);
  if (selected !== null) return replace(ui, { ...place, selected });
  const path = facts.chosen?.path ?? null;
  switch (command) {
    case 'open':
      return path === null ? ui : enter(ui, runPlace(path));
    case 'order':
      return replace(ui, { ...place, order: following(runOrders, place.order), selected: 0 });
    case 'filter':
      return replace(ui, { ...place, cursor: place.filter.length });
    case 'mark':
      return replace(ui, { ...place, marked: path === place.marked ? null : path });
    case 'compare':
      return compared(ui, sideOf(place.marked, null), facts.chosen, 'a run with space');
    default:
      return ui;
  }
}

function pressInRun(ui: Ui, place: RunPlace, command: Command, facts: Facts): Ui {
  if (command === 'play') return replace(ui, { ...place, playing: !place.playing, frame: place.frame ?? 0 });
  if (command === 'left' || command === 'right') {
    const frame = clamp(facts.at + (command === 'left' ? -1 : 1), facts.count);
    return replace(ui, { ...place, frame, playing: false });
  }
  const selected = moved(command, Math.min(place.selected, facts.count - 1), facts);
  if (selected !== null) return replace(ui, { ...place, selected, frame: selected, playing: false });
  const text = facts.chosen?.text ?? null;
  switch (command) {
    case 'open':
      return text === null ? ui : enter(ui, candidatePlace(place.path, text, place.marked));
    case 'order':
      return replace(ui, { ...place, order: following(candidateOrders, place.order), selected: 0 });
    case 'all':
      return replace(ui, { ...place, all: !place.all, selected: 0 });
    case 'mark':
      return replace(ui, { ...place, marked: text === place.marked ? null : text });
    case 'compare':
      return compared(ui, sideOf(place.path, place.marked), facts.chosen, 'a candidate with space');
    default:
      return ui;
  }
}

function pressInCandidate(ui: Ui, place: CandidatePlace, command: Command, facts: Facts): Ui {
  switch (command) {
    case 'left':
    case 'right':
      return replace(ui, { ...place, token: clamp(facts.at + (command === 'left' ? -1 : 1), facts.count) });
    case 'first':
    case 'last':
      return replace(ui, { ...place, token: command === 'first' ? 0 : facts.count - 1 });
    case 'up':
    case 'down': {
      const text = facts.neighbours[command === 'up' ? 0 : 1];
      return text === null ? ui : replace(ui, candidatePlace(place.path, text, place.marked));
    }
    case 'edit':
      return replace(ui, { ...place, cursor: place.text.length });
    case 'mark':
      return replace(ui, { ...place, marked: place.text === place.marked ? null : place.text });
    case 'compare':
      return compared(
        ui,
        sideOf(place.path, place.marked),
        { path: place.path, text: place.text },
        'a candidate with space',
      );
    default:
      return ui;
  }
}

/** The selected row after a key that moves; null for other keys. */
function moved(command: Command, selected: number, { count, page }: Facts): number | null {
  const targets: Partial<Record<Command, number>> = {
    up: selected - 1,
    down: selected + 1,
    pageUp: selected - page,
    pageDown: selected + page,
    first: 0,
    last: count - 1,
  };
  const target = targets[command];
  return target === undefined ? null : clamp(target, count);
}

function compared(ui: Ui, marked: Side | null, chosen: Side | null, how: string): Ui {
  if (!marked || !chosen) return { ...ui, notice: `mark ${how} first, then press c on the other` };
  if (marked.path === chosen.path && marked.text === chosen.text)
    return { ...ui, notice: 'that is the marked one itself: choose another to compare it with' };
  return enter(ui, { kind: 'compare', sides: [marked, chosen] });
}

/** The marked run or text; null when nothing is marked. */
function sideOf(path: string | null, text: string | null): Side | null {
  return path === null ? null : { path, text };
}

// -- the way ---------------------------------------------------------------------------------------------------

function enter(ui: Ui, place: ViewPlace): Ui {
  return { ...ui, places: [...ui.places, place] };
}

function replace(ui: Ui, place: ViewPlace): Ui {
  return { ...ui, places: [...ui.places.slice(0, -1), place] };
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(index, count - 1));
}

function following<T>(list: readonly T[], item: T): T {
  return list[(list.indexOf(item) + 1) % list.length]!;
}
