import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.js';

it('is where the variables say, an empty one as if it was not there', () => {
  expect(cacheFolder({ SUPERSTIM_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ SUPERSTIM_CACHE: '', XDG_CACHE_HOME: '/b' })).toBe(join('/b', 'superstimulus'));
  expect(cacheFolder({})).toBe(join(homedir(), '.cache', 'superstimulus'));
});
