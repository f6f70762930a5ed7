/** @file How many threads may compute. */
import { availableParallelism } from 'node:os';
import { THREADS_VARIABLE } from './engine-names.js';

/** How many threads an operation on the CPU may have at the most: what the environment says, or as many as there are cores. */
export function mostThreads(): number {
  const most = Math.floor(Number(process.env[THREADS_VARIABLE]));
  return most >= 1 ? most : availableParallelism();
}
