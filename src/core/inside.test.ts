import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from './errors.js';
import { inside } from './inside.js';

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'superstim-inside-')));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = join(scratch, 'model');
mkdirSync(join(folder, 'sub'), { recursive: true });
writeFileSync(join(folder, 'a.bin'), 'a');
writeFileSync(join(scratch, 'secret'), 's');

describe('inside', () => {
  it.each(['a.bin', 'sub/new.bin', './a.bin', 'no/such/folder/yet', 'ä b..c', '...', 'ab:c'])(
    'takes %j',
    (name) => {
      expect(inside(folder, name, 'the map')).toBe(join(folder, name));
    },
  );

  it.each([
    ['leads out of its folder', '../secret'],
    ['leads out of its folder', 'sub/../../secret'],
    ['leads out of its folder', 'sub/../a.bin'],
    ['is an absolute path', '/etc/passwd'],
    ['is an absolute path', 'C:/windows'],
    ['is an absolute path', 'c:x'],
    ['has a backslash', '..\\secret'],
    ['has control characters', 'a\0.bin'],
    ['has control characters', 'a\x1b]52;c;x\x07'],
    ['has control characters', 'a\u202etxt.bin'],
    ['is empty', ''],
    ['is no name of a file', 'a//b'],
    ['is no name of a file', 'sub/'],
    ['is no name of a file', '.'],
    ['is too long for the file system', 'n'.repeat(256)],
    ['is too long for the file system', 'ä'.repeat(128)],
    ['is too long for the file system', `${'d/'.repeat(3000)}a`],
    ['cannot be looked up (ENOTDIR)', 'a.bin/below'],
  ])('refuses a name that %s (%#)', (why, name) => {
    const ask = () => inside(folder, name, 'the map');
    expect(ask).toThrow(UserError);
    expect(ask).toThrow(`, which ${why}; it is not used`);
    expect(ask).not.toThrow(/[\p{Cc}\u202e]/u);
  });

  it('follows links: they may lead about in the folder, and not out of it', () => {
    const links = {
      within: 'a.bin',
      out: '../secret',
      gone: '../not-there',
      far: 'out',
      loop: 'loop',
      up: '..',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
    const ask = (name: string) => () => inside(folder, name, 'the map');
    expect(ask('within')()).toBe(join(folder, 'within'));
    for (const name of ['out', 'gone', 'far', 'up/secret', 'up/new'])
      expect(ask(name), name).toThrow(/is a symbolic link that leads out/);
    expect(ask('loop')).toThrow(/cannot be looked up \(ELOOP\)/);
  });

  it('takes a folder that is itself a link', () => {
    symlinkSync(folder, join(scratch, 'linked'));
    expect(inside(join(scratch, 'linked'), 'a.bin', 'the map')).toBe(join(scratch, 'linked', 'a.bin'));
  });

  it("lets the snapshots of Hugging Face's cache link to the blobs of their model, and no other", () => {
    const cache = join(scratch, 'hub');
    const snapshot = join(cache, 'models--org--name', 'snapshots', 'a'.repeat(40));
    for (const path of [
      snapshot,
      ...['name', 'other'].map((name) => join(cache, `models--org--${name}`, 'blobs')),
    ])
      mkdirSync(path, { recursive: true });
    mkdirSync(join(snapshot, 'onnx'));
    symlinkSync('../../blobs/0123', join(snapshot, 'model.bin'));
    symlinkSync('../../../blobs/0123', join(snapshot, 'onnx', 'model.bin'));
    symlinkSync('../../../models--org--other/blobs/0123', join(snapshot, 'other.bin'));
    expect(inside(snapshot, 'model.bin', 'the map')).toBe(join(snapshot, 'model.bin'));
    expect(inside(join(snapshot, 'onnx'), 'model.bin', 'the map')).toBe(join(snapshot, 'onnx', 'model.bin'));
    expect(() => inside(snapshot, 'other.bin', 'the map')).toThrow(/leads out/);
  });

  it('never leaves the folder, whatever the name', () => {
    const piece = fc.constantFrom('a', '.', '..', '/', '\\', 'C:', '\0', ' ', 'up', 'sub');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          const path = inside(folder, pieces.join(''), 'the map');
          expect(path.startsWith(folder + sep)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
