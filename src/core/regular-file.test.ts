import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from './errors.js';
import { readRegularFile } from './regular-file.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-regular-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);

describe('readRegularFile', () => {
  it('reads a file, also by a link', () => {
    writeFileSync(at('file'), 'äbc');
    symlinkSync('file', at('link'));
    expect(readRegularFile(at('file'), 4).toString()).toBe('äbc');
    expect(readRegularFile(at('link'), 4).toString()).toBe('äbc');
  });

  it.runIf(process.platform !== 'win32')('refuses at once what is no regular file', () => {
    execFileSync('mkfifo', [at('pipe')]);
    symlinkSync('loop', at('loop'));
    const reasons = {
      [at('pipe')]: /pipe, a socket or a device/,
      '/dev/zero': /pipe, a socket or a device/,
      [scratch]: /that is a folder/,
      [at('none')]: /there is no such file/,
      [at('loop')]: /loop of symbolic links/,
    };
    for (const [path, reason] of Object.entries(reasons)) {
      expect(() => readRegularFile(path, 100), path).toThrow(UserError);
      expect(() => readRegularFile(path, 100), path).toThrow(reason);
    }
  });

  it('refuses a file above the limit before it takes memory', () => {
    writeFileSync(at('sparse'), '');
    truncateSync(at('sparse'), 2 ** 42);
    expect(() => readRegularFile(at('sparse'), 50e6)).toThrow(
      /it has 4,398,046\.5 MB, more than the 50 MB that such a file may have/,
    );
  });
});
