import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { UserError } from './errors.js';
import { fileError } from './file-error.js';

it('makes a sentence of what the file system throws, and leaves the rest', () => {
  let thrown: unknown;
  try {
    readFileSync(tmpdir());
  } catch (error) {
    thrown = fileError(error, 'read the folder');
  }
  expect(thrown).toEqual(
    new UserError('could not read the folder: that is a folder, not a file; choose another path'),
  );
  const other = new Error('other');
  expect(fileError(other, 'read')).toBe(other);
  expect(fileError(null, 'read')).toBe(null);
});
