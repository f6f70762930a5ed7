/** @file The first lines of a run's screen: what it is about, how far it is, what is wrong with it. */
import { counted, formatCount, formatSeconds } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import { hypervolume } from '../../core/frontier.js';
import { palette, type Rgb } from '../../media/color.js';
import { fitLine, type Line, lineWidth, plain } from '../../media/styled.js';
import { unitOf } from '../../runs/description.js';
import type { JsonValue, ProgressEvent } from '../../runs/events.js';
import { formatBar, formatShare, progressShare, progressWords } from '../../runs/progress-text.js';
import { publishedLine } from '../../runs/published.js';
import { jsonField, partsLeftOut, type RunView } from '../../runs/run-view.js';
import type { RunSnapshot } from '../run-source.js';

/** How a run stands, in a word and a colour. */
export function runState({ view, growing }: RunSnapshot): { word: string; color: Rgb } {
  if (view.end?.kind === 'failed') return { word: 'failed', color: palette.bad };
  if (view.end)
    return { word: view.end.reason, color: view.end.reason === 'done' ? palette.good : palette.caution };
  return growing ? { word: 'running', color: palette.accent } : { word: 'no end', color: palette.caution };
}

/** `L2.H5  text of books-lm by evolve`, and how it stands. */
export function drawTitle(snapshot: RunSnapshot, columns: number): Line {
  const { view, description } = snapshot;
  const model = description?.model?.name;
  const { word, color } = runState(snapshot);
  const about = [view.task, model && `of ${model}`, view.method && `by ${view.method}`]
    .filter(Boolean)
    .join(' ');
  const left: Line = [
    { text: view.unit ?? (description && unitOf(description)) ?? 'run', bold: true },
    { text: `  ${about}`, color: palette.muted },
  ];
  const room = columns - word.length - 1;
  return [...fitLine(left, room), { text: ` ${word}`, color, bold: true }];
}

/** The row that `drawProgress` has on every screen of a run. */
export const PROGRESS_ROW = 1;

/**
 * Progress while it runs, afterwards what came of it.
 *
 * @param later - seconds that have gone by since the last event, of a run in this process
 */
export function drawProgress({ view, growing }: RunSnapshot, columns: number, later = 0): Line {
  const { end } = view;
  const progress = view.progress && after(view.progress, later);
  if (end?.kind === 'failed') return fitLine(plain(end.message, { color: palette.bad }), columns);
  if (end || !growing || !progress) return fitLine(plain(outcome(view)), columns);
  const share = progressShare(progress);
  const elapsed = `${(view.at + later).toFixed(1)} s`;
  const words = [progress.note, elapsed, ...progressWords(progress)].filter(Boolean).join('  ');
  const line: Line = [
    ...(share === null
      ? []
      : [{ text: formatBar(share, 16), color: palette.accent }, { text: ` ${formatShare(share)}  ` }]),
    { text: words },
  ];
  return fitLine(
    lineWidth(line) <= columns ? line : [...line.slice(0, 2), { text: progressWords(progress).join('  ') }],
    columns,
  );
}

/** What the texts of a run stand in, in one line; none where that is not known. */
export function drawFrame({ description }: RunSnapshot, columns: number): Line[] {
  const frame = description?.model?.frame;
  return frame ? [fitLine(plain(formatFrame(frame), { color: palette.muted }), columns)] : [];
}

/** What is published of the unit, in one line; none where nothing is. */
export function drawPublished({ view }: RunSnapshot, columns: number): Line[] {
  const line = publishedLine(view);
  return line ? [fitLine(plain(line, { color: palette.muted }), columns)] : [];
}

/** Progress as it would be reported a moment later. */
function after(progress: ProgressEvent, seconds: number): ProgressEvent {
  const { budget, done, total, seconds_left } = progress;
  return {
    ...progress,
    done: budget === 'seconds' ? Math.min(done + seconds, total ?? Number.POSITIVE_INFINITY) : done,
    seconds_left: seconds_left === null ? null : Math.max(0, seconds_left - seconds),
  };
}

/** One sentence on what a run found. */
export function outcome(view: RunView): string {
  const { end, frontier, frames, series } = view;
  const result = end?.kind === 'finished' ? end.result : null;
  const parts: string[] = [];
  if (frontier.length > 0) {
    const volume = number(jsonField(result, 'hypervolume')) ?? hypervolume(frontier);
    parts.push(`hypervolume ${volume.toFixed(1)}`, `${counted(frontier.length, 'text')} on the frontier`);
  }
  if (frames.length > 0)
    parts.push(counted(frames.length, 'frame'), `activation ${formatCount(frames.at(-1)!.activation)}`);
  // The steps of a picture have the same figures.
  for (const [name, { values }] of frames.length > 0 ? [] : [...series].slice(0, 3))
    parts.push(`${name.replaceAll('_', ' ')} ${formatCount(values.at(-1)!)}`);
  const cost = jsonField(result, 'cost');
  const [evaluations, seconds] = [number(jsonField(cost, 'evaluations')), number(jsonField(cost, 'seconds'))];
  if (evaluations !== null) parts.push(counted(evaluations, 'evaluation'));
  parts.push(formatSeconds(seconds ?? view.at));
  return parts.join('  ');
}

function number(value: JsonValue): number | null {
  return typeof value === 'number' ? value : null;
}

/** What is missing, what was warned of: one line each, at most `rows`, the last with the number of the others. */
export function drawTroubles({ view, missing, growing }: RunSnapshot, columns: number, rows: number): Line[] {
  // That a growing run has no end yet is no news.
  const troubles = [
    ...missing.filter(({ code }) => !growing || code !== 'end').map(({ sentence }) => sentence),
    ...partsLeftOut(view),
    ...view.warnings,
  ];
  const shown =
    troubles.length > rows
      ? [...troubles.slice(0, rows - 1), `${troubles.length - rows + 1} more: see superstim view RUN | cat`]
      : troubles;
  return shown.map((text) =>
    fitLine(
      [
        { text: '! ', color: palette.caution, bold: true },
        { text, color: palette.caution },
      ],
      columns,
    ),
  );
}
