/** @file Whether this processor has instructions for products in 8 bits. */
import { readFileSync } from 'node:fs';
import { once } from '../core/once.js';

/** Names of such instructions in Linux's list: AVX-512 VNNI, AVX-VNNI, and those of ARMv8.2. */
const NAMES = new Set(['avx512_vnni', 'avx_vnni', 'asimddp']);

/** @param list - what Linux says of its processors (`/proc/cpuinfo`) */
export const listsDotProducts = (list: string): boolean => list.split(/\s+/).some((word) => NAMES.has(word));

/**
 * Products in 8 bits are 3 to 4 times as fast as in float32 where a processor adds four of them in one instruction, and
 * else 1 to 2 times. True where that is not known: most processors of laptops have it.
 */
export const hasDotProducts = once((): boolean => {
  try {
    return listsDotProducts(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return true;
  }
});
