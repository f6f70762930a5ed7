/** @file What the progress bar shows, as one line. */
import { formatCount } from '../core/format.js';
import type { ScoredText } from '../core/scored-text.js';
import { clip, textWidth } from '../core/text-width.js';
import { visible } from '../core/visible.js';
import type { ProgressEvent, RunEvent } from '../runs/events.js';
import { formatBar, formatShare, progressShare, progressWords } from '../runs/progress-text.js';

const barColumns = 20;

/** What the line shows: the last word of every event so far. */
export interface ProgressState {
  label: string;
  progress: ProgressEvent | null;
  /** The strongest candidate. */
  best: ScoredText | null;
  /** The last training figure or frame activation: `loss 3.21`. */
  figure: string | null;
}

/** Before the first event. */
export const noProgress: ProgressState = { label: '', progress: null, best: null, figure: null };

/** The state after one more event. */
export function advance(state: ProgressState, event: RunEvent): ProgressState {
  switch (event.kind) {
    case 'started':
      return { ...state, label: event.unit ?? event.task };
    case 'progress':
      return { ...state, progress: event };
    case 'candidate':
      return state.best !== null && state.best.z >= event.candidate.z
        ? state
        : { ...state, best: event.candidate };
    case 'step': {
      const figures = Object.entries(event.metrics).map(([name, value]) => `${name} ${formatCount(value)}`);
      return { ...state, figure: figures[0] ?? state.figure };
    }
    case 'frame':
      return { ...state, figure: `activation ${formatCount(event.activation)}` };
    default:
      return state;
  }
}

/** The line, at most `columns` wide: what matters least stands last and is left out first. */
export function formatProgress({ label, progress, best, figure }: ProgressState, columns: number): string {
  const parts = [label, progress?.note ?? ''];
  if (progress !== null) {
    const share = progressShare(progress);
    if (share !== null) parts.push(`${formatBar(share, barColumns)} ${formatShare(share)}`);
    parts.push(...progressWords(progress));
  }
  if (figure !== null) parts.push(figure);
  if (best !== null) parts.push(`best z ${best.z.toFixed(1)} at ${best.cross_entropy.toFixed(2)} nats`);
  let line = '';
  for (const part of parts.filter((part) => part !== '').map(visible)) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (textWidth(longer) > columns) return line === '' ? clip(part, columns) : line;
    line = longer;
  }
  const room = columns - textWidth(line) - 4;
  return best !== null && room >= 12 ? `${line}  "${clip(visible(best.text), room)}"` : line;
}
