/** @file The screen of all runs. */
import { counted } from '../../core/format.js';
import { palette } from '../../media/color.js';
import { fitLine, type Line, plain } from '../../media/styled.js';
import type { RunsPlace } from '../places.js';
import type { RunSummary } from '../run-list.js';
import { type Column, drawList, fitBlock } from './layout.js';

export interface RunsScene {
  readonly folder: string;
  readonly place: RunsPlace;
  /** Filtered and in order. */
  readonly runs: readonly RunSummary[];
  readonly total: number;
  readonly columns: number;
  readonly rows: number;
}

const stateColors = {
  running: palette.accent,
  done: palette.good,
  interrupted: palette.caution,
  failed: palette.bad,
  'no end': palette.caution,
  empty: palette.muted,
} as const satisfies Record<RunSummary['state'], unknown>;

/** `24 Nov 14:05`, local time. */
export function formatTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const month = time.toLocaleString('en', { month: 'short' });
  return `${two(time.getDate())} ${month} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

export function drawRuns({ folder, place, runs, total, columns, rows }: RunsScene): Line[] {
  const { filter, cursor, order } = place;
  const count = filter === '' ? counted(total, 'run') : `${runs.length} of ${total} runs`;
  const head = fitLine(
    [
      { text: count, bold: true },
      { text: ` in ${folder}, by ${order}`, color: palette.muted },
    ],
    columns,
  );
  const filterLine: Line =
    cursor === null
      ? plain(filter === '' ? '' : `filter: ${filter}`, { color: palette.muted })
      : [
          { text: 'filter: ', color: palette.caution },
          { text: filter.slice(0, cursor) },
          { text: filter[cursor] ?? ' ', inverse: true },
          { text: filter.slice(cursor + 1) },
        ];
  const none =
    total === 0 ? 'no runs here yet: superstim text --unit L2.H5 makes one' : 'no run has all these words';
  const list =
    runs.length === 0
      ? [plain(none, { color: palette.muted })]
      : drawList(runs, runColumns(place, columns), {
          selected: Math.min(place.selected, runs.length - 1),
          columns,
          rows: rows - 2,
        });
  return fitBlock([head, filterLine, ...list], columns, rows);
}

function runColumns({ marked }: RunsPlace, columns: number): Column<RunSummary>[] {
  const room = columns - 2 - (2 + 13 + 7 + 12 + 7);
  const model = Math.floor(room * 0.4);
  const unit = Math.min(32, room - model - 1);
  return [
    { title: '', width: 1, text: ({ path }) => (path === marked ? '•' : '') },
    { title: 'last written', width: 12, text: ({ written }) => formatTime(written) },
    { title: 'task', width: 6, text: ({ task }) => task },
    { title: 'unit', width: unit - 1, text: ({ unit }) => unit },
    { title: 'model', width: model - 1, text: ({ model }) => model },
    {
      title: 'state',
      width: 11,
      text: ({ state }) => state,
      style: ({ state }) => ({ color: stateColors[state] }),
    },
    { title: 'best', width: 7, right: true, text: ({ best }) => best?.toPrecision(4) ?? '' },
  ];
}
