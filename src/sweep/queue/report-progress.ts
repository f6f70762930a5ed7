/** @file What a worker says of the job that it computes: a few words, taken from the run's events. */
import { clip } from '../../core/text-width.js';
import type { RunEvent } from '../../runs/events.js';
import { progressShare, progressWords } from '../../runs/progress-text.js';
import type { JobProgress } from './messages.js';

const LONGEST = 200;

/** The progress after one more event. */
export function advanceProgress(before: JobProgress, event: RunEvent): JobProgress {
  if (event.kind === 'progress') {
    const share = progressShare(event);
    const words = [event.note, ...progressWords(event)].filter(Boolean).join(', ');
    return {
      ...before,
      share: share === null ? null : Math.min(1, Math.max(0, share)),
      note: clip(words, LONGEST),
    };
  }
  if (event.kind !== 'candidate' || event.source !== 'search') return before;
  const { z, text } = event.candidate;
  const known = before.best === null ? Number.NEGATIVE_INFINITY : Number.parseFloat(before.best);
  return z > known ? { ...before, best: clip(`${z.toFixed(2)} ${text}`, LONGEST) } : before;
}
