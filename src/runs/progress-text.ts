/** @file A progress event in words: how much is done, how fast, how long still. */
import { formatBytes, formatCount, formatSeconds } from '../core/format.js';
import type { ProgressEvent } from './events.js';

/** `42 %`, whole percents, never beyond 100. */
export function formatShare(share: number): string {
  return `${Math.floor(Math.min(share, 1) * 100)} %`;
}

/** A bar of blocks. @param share - 0 to 1; clamped */
export function formatBar(share: number, columns: number): string {
  const filled = Math.round(Math.min(Math.max(share, 0), 1) * columns);
  return `${'█'.repeat(filled)}${'░'.repeat(columns - filled)}`;
}

/** How far a budget is spent, 0 to 1; null when its end is not known. */
export function progressShare({ done, total }: ProgressEvent): number | null {
  return total === null ? null : total > 0 ? done / total : 1;
}

/** `8,432/20,000 evaluations`, `1,510/s`, `8 s left`: what matters least comes last. */
export function progressWords(progress: ProgressEvent): string[] {
  const { rate, seconds_left: left } = progress;
  return [
    formatDone(progress),
    ...(rate === null ? [] : [formatRate(progress, rate)]),
    ...(left === null ? [] : [`${formatSeconds(left)} left`]),
  ];
}

function formatDone({ budget, done, total }: ProgressEvent): string {
  if (budget === 'bytes')
    return total === null ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
  if (budget === 'seconds')
    return total === null ? formatSeconds(done) : `${Math.round(done)}/${formatSeconds(total)}`;
  return total === null
    ? `${formatCount(done)} ${budget}`
    : `${formatCount(done)}/${formatCount(total)} ${budget}`;
}

function formatRate({ budget, rate_unit: unit }: ProgressEvent, rate: number): string {
  if (unit === 'bytes') return `${formatBytes(rate)}/s`;
  return unit === budget ? `${formatCount(rate)}/s` : `${formatCount(rate)} ${unit}/s`;
}
