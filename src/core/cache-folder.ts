/** @file Where what can be computed again is kept between processes. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `SUPERSTIM_CACHE`, else `superstimulus` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.SUPERSTIM_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'superstimulus');
}
