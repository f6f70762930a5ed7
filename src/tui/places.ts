/** @file Where one can be in the terminal UI. */
import type { CandidateOrder } from '../runs/run-view.js';
import type { Coloring } from './draw/tokens.js';
import type { RunOrder } from './run-list.js';

export interface RunsPlace {
  readonly kind: 'runs';
  readonly selected: number;
  readonly order: RunOrder;
  readonly filter: string;
  /** The cursor while the filter is typed. */
  readonly cursor: number | null;
  /** Path of a run to compare with. */
  readonly marked: string | null;
}

export interface RunPlace {
  readonly kind: 'run';
  readonly path: string;
  readonly selected: number;
  readonly order: CandidateOrder;
  /** Everything that ever entered the frontier, not the frontier alone. */
  readonly all: boolean;
  /** A text to compare with. */
  readonly marked: string | null;
  /** Index of the frame shown; null follows the newest. */
  readonly frame: number | null;
  readonly playing: boolean;
}

export interface CandidatePlace {
  readonly kind: 'candidate';
  readonly path: string;
  readonly text: string;
  /** The candidate as it was found; differs from `text` once that is edited. */
  readonly original: string;
  /** The selected token; null is the peak. */
  readonly token: number | null;
  /** The cursor while the text is edited, in characters. */
  readonly cursor: number | null;
  readonly marked: string | null;
}

/** A run, or one text of it. */
export interface Side {
  readonly path: string;
  readonly text: string | null;
}

export interface ComparePlace {
  readonly kind: 'compare';
  readonly sides: readonly [Side, Side];
}

export type ViewPlace = RunsPlace | RunPlace | CandidatePlace | ComparePlace;

export interface Ui {
  /** The way here; the last one is shown. Never empty. */
  readonly places: readonly ViewPlace[];
  readonly coloring: Coloring;
  readonly help: boolean;
  /** One line for the user, until the next key. */
  readonly notice: string | null;
}

export const runsPlace: RunsPlace = {
  kind: 'runs',
  selected: 0,
  order: 'newest',
  filter: '',
  cursor: null,
  marked: null,
};

export function runPlace(path: string): RunPlace {
  return {
    kind: 'run',
    path,
    selected: 0,
    order: 'nats',
    all: false,
    marked: null,
    frame: null,
    playing: false,
  };
}

export function candidatePlace(path: string, text: string, marked: string | null = null): CandidatePlace {
  return { kind: 'candidate', path, text, original: text, token: null, cursor: null, marked };
}

export function startAt(...places: [ViewPlace, ...ViewPlace[]]): Ui {
  return { places, coloring: 'z', help: false, notice: null };
}

export function shownPlace({ places }: Ui): ViewPlace {
  return places.at(-1)!;
}
