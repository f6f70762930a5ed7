/** @file Reference data that lies beside the repository and is never part of it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of something under ../shared. */
export function sharedPath(path: string): string {
  return fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
}

/**
 * For `describe.skipIf`: the title says what is missing.
 *
 * ```ts
 * const data = shared('models/stories260k');
 * describe.skipIf(data.missing)(data.title('the tokenizer'), () => …);
 * ```
 */
export function shared(path: string): { path: string; missing: boolean; title(what: string): string } {
  return {
    path: sharedPath(path),
    missing: !existsSync(sharedPath(path)),
    title: (what) => `${what} (needs ../shared/${path})`,
  };
}
