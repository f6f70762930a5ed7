/** @file What every screen is given. */
import type { Ui, ViewPlace } from '../places.js';
import type { RunSnapshot, RunSource } from '../run-source.js';
import type { ViewerState } from '../viewer-state.js';

export interface PlaceProps<P extends ViewPlace> {
  readonly viewer: ViewerState;
  readonly ui: Ui;
  readonly setUi: (change: (ui: Ui) => Ui) => void;
  readonly place: P;
  readonly columns: number;
  readonly rows: number;
}

export interface RunProps<P extends ViewPlace> extends PlaceProps<P> {
  readonly source: RunSource;
  readonly snapshot: RunSnapshot;
}
