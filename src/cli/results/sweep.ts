/** @file How a sweep is printed for people. */
import { counted } from '../../core/format.js';
import { formatTable } from '../../core/table.js';
import { formatShare } from '../../runs/progress-text.js';
import type { QueueStatus } from '../../sweep/queue/queue.js';
import { type SweepDocument, type SweepState, sweepStates } from '../../sweep/sweep-file.js';
import type { Paint } from '../output.js';

const colors = {
  waiting: 'dim',
  running: 'cyan',
  stopped: 'yellow',
  done: 'green',
  failed: 'red',
  cancelled: 'yellow',
} as const satisfies Record<SweepState, unknown>;

/** Failed jobs that are printed; `--json` has all. */
const MOST_FAILED = 20;

/** How many jobs stand how, and why some failed. */
export function formatSweep({ folder, jobs }: SweepDocument, paint: Paint): string {
  const counts = sweepStates
    .map((state) => [state, jobs.filter((job) => job.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => paint(colors[state], `${count} ${state}`));
  const failed = jobs.filter(({ state }) => state === 'failed');
  const rows = failed.slice(0, MOST_FAILED).map(({ id, error }) => [id, error ?? '']);
  const more = failed.length - rows.length;
  return [
    `${counted(jobs.length, 'job')}: ${counts.join(', ')}`,
    ...(rows.length > 0 ? [formatTable(rows)] : []),
    ...(more > 0 ? [`${more} more failed`] : []),
    `sweep: ${folder}`,
  ].join('\n');
}

/** How a queue stands. */
export function formatQueue(status: QueueStatus, paint: Paint): string {
  const { queue, name, paused, workers, counts, active, failed } = status;
  const word = {
    waiting: 'dim',
    delayed: 'yellow',
    active: 'cyan',
    completed: 'green',
    failed: 'red',
  } as const;
  const states = Object.entries(counts).map(([state, count]) =>
    paint(word[state as keyof typeof word], `${count} ${state}`),
  );
  return [
    `queue ${name} at ${queue}${paused ? ', paused' : ''}: ${workers} workers`,
    states.join(', '),
    ...(active.length > 0 ? [formatTable(active.map((job) => [job.id, ...progressCells(job)]))] : []),
    ...(failed.length > 0 ? [formatTable(failed.map(({ id, error }) => [id, error]))] : []),
  ].join('\n');
}

const progressCells = ({ share, note, best, worker }: QueueStatus['active'][number]) => [
  share === null ? '' : formatShare(share),
  worker,
  note,
  best ?? '',
];
