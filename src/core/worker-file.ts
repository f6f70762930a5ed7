/** @file Where the programs of worker threads are. */

/**
 * The compiled program, also when this runs from its TypeScript source (in tests).
 *
 * @param path - in `dist`
 */
export const workerFile = (path: string): URL => new URL(`../../dist/${path}`, import.meta.url);
