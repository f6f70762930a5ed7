/** @file How many threads may compute. */
import { availableParallelism } from 'node:os';
import { THREADS_VARIABLE } from './engine-names.js';

/** How many threads an operation on the CPU may have at the most, as the environment says; null where it says nothing. */
function allowedThreads(): number | null {
  const most = Math.floor(Number(process.env[THREADS_VARIABLE]));
  return most >= 1 ? most : null;
}

/** As many as there are cores, or fewer where the environment says so. */
export const mostThreads = (): number => allowedThreads() ?? availableParallelism();

/** @param threads - 0: as many as there are cores, each of them bound to one, whatever `taskset` says */
export function withinLimit(threads: number): number {
  const most = allowedThreads();
  return most === null ? threads : atMost(most, threads);
}

/** At most half of what there is. @param threads - 0: as many as there are cores */
export function withinHalf(threads: number): number {
  return atMost(Math.max(1, Math.floor(mostThreads() / 2)), threads);
}

const atMost = (most: number, threads: number) => (threads === 0 ? most : Math.min(threads, most));
