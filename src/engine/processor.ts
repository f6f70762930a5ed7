/** @file What this processor can do, as far as the operating system says it. */
import { readFileSync } from 'node:fs';
import { once } from '../core/once.js';

/** Linux's names of what its processors can do, from `/proc/cpuinfo`; null on other systems. */
export const processorFeatures = once((): ReadonlySet<string> | null => {
  try {
    return featuresOf(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return null;
  }
});

/** @param list - what Linux says of its processors */
export const featuresOf = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));
