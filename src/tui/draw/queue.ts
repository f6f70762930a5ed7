/** @file The screen of a queue: how many jobs stand how, what is computed now, and what failed. */
import { palette } from '../../media/color.js';
import { fitLine, type Line, plain } from '../../media/styled.js';
import { formatBar, formatShare } from '../../runs/progress-text.js';
import type { QueueStatus } from '../../sweep/queue/queue.js';
import { type Column, drawList, fitBlock, rule } from './layout.js';

export interface QueueScene {
  readonly status: QueueStatus;
  /** Why the status is not of now; null when it is. */
  readonly trouble: string | null;
  readonly columns: number;
  readonly rows: number;
}

const stateColors = {
  waiting: palette.muted,
  delayed: palette.caution,
  active: palette.accent,
  completed: palette.good,
  failed: palette.bad,
} as const satisfies Record<keyof QueueStatus['counts'], unknown>;

/** Columns of the bar, where there is room beside the counts. */
const BAR = 30;
const COUNTS = 62;
const NONE = -1;

export function drawQueue({ status, trouble, columns, rows }: QueueScene): Line[] {
  const { queue, name, paused, workers, counts, active, failed } = status;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const share = total === 0 ? 0 : (counts.completed + counts.failed) / total;
  const head: Line[] = [
    [
      { text: `queue ${name}`, bold: true },
      { text: ` at ${queue}, ${workers} workers`, color: palette.muted },
      { text: paused ? '  paused' : '', color: palette.caution },
    ],
    [
      {
        text: `${formatBar(share, Math.max(0, Math.min(BAR, columns - COUNTS)))} ${formatShare(share)}  `,
        color: palette.accent,
      },
      ...Object.entries(counts).map(([state, count]) => ({
        text: `${count} ${state}  `,
        color: stateColors[state as keyof typeof stateColors],
      })),
    ],
    plain(trouble ?? '', { color: palette.bad }),
  ];
  const room = Math.max(0, rows - head.length);
  const below = failed.length > 0 ? Math.min(failed.length + 2, Math.floor(room / 2)) : 0;
  const list = { selected: NONE, columns, rows: Math.max(0, room - below - 1) };
  return fitBlock(
    [
      ...head.map((line) => fitLine(line, columns)),
      rule('computed now', columns),
      ...drawList(active, activeColumns(columns), list),
      ...(below > 0
        ? [rule('failed', columns), ...drawList(failed, failedColumns(columns), { ...list, rows: below - 1 })]
        : []),
    ],
    columns,
    rows,
  );
}

function activeColumns(columns: number): Column<QueueStatus['active'][number]>[] {
  const room = Math.max(0, columns - 2 - (25 + 6 + 19));
  const note = Math.floor(room / 2);
  return [
    { title: 'job', width: 24, text: ({ id }) => id },
    { title: '', width: 5, right: true, text: ({ share }) => (share === null ? '' : formatShare(share)) },
    { title: 'worker', width: 18, text: ({ worker }) => worker },
    { title: 'at', width: Math.max(0, note - 1), text: (job) => job.note },
    { title: 'best', width: Math.max(0, room - note - 1), text: ({ best }) => best ?? '' },
  ];
}

const failedColumns = (columns: number): Column<QueueStatus['failed'][number]>[] => [
  { title: 'job', width: 24, text: ({ id }) => id, style: () => ({ color: palette.bad }) },
  { title: 'why', width: Math.max(0, columns - 2 - 26), text: ({ error }) => error },
];
