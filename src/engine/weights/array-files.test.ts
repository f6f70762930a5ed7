/** `.npz` and `.pt` files: what they hold, and what is refused. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  npzFile,
  oldTorchFile,
  pickledCall,
  type TestArray,
  torchFile,
} from '../../../test/helpers/array-files.js';
import { type ZipOptions, zipFile } from '../../../test/helpers/zip-file.js';
import { UserError } from '../../core/errors.js';
import type { NamedArrays } from './named-arrays.js';
import { openNpz } from './npz.js';
import { openTorchFile } from './torch-file.js';

const folder = mkdtempSync(join(tmpdir(), 'array-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const arrays: Record<string, TestArray> = {
  matrix: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  // The same matrix, its columns one after the other.
  turned: { shape: [2, 3], data: Float32Array.of(1, 4, 2, 5, 3, 6), transposed: true },
  vector: { shape: [3], data: Float32Array.of(7, 8, 9) },
  scalar: { shape: [], data: Float32Array.of(0.5) },
};

const formats: Record<
  string,
  [open: (path: string) => NamedArrays, write: (options?: ZipOptions) => Buffer]
> = {
  npz: [openNpz, (options) => npzFile(arrays, options)],
  pt: [openTorchFile, (options) => torchFile(arrays, {}, options)],
};

function written(ending: string, bytes: Uint8Array): string {
  const path = join(folder, `file.${ending}`);
  writeFileSync(path, bytes);
  return path;
}

function complaint(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

describe.each(Object.entries(formats))('.%s', (ending, [open, write]) => {
  it.each([{}, { packed: true }, { zip64: true }])('gives back arrays, whole and in lines: %j', (options) => {
    const file = open(written(ending, write(options)));
    expect(file.names).toEqual(Object.keys(arrays));
    for (const name of ['matrix', 'turned']) {
      expect(file.shape(name)).toEqual([2, 3]);
      expect(file.read(name)).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
      expect(file.lines(name, 0, [1])).toEqual(Float32Array.of(4, 5, 6));
      expect(file.lines(name, 1, [2, 0])).toEqual(Float32Array.of(3, 6, 1, 4));
    }
    expect(file.read('vector')).toEqual(Float32Array.of(7, 8, 9));
    expect([file.shape('scalar'), file.read('scalar')]).toEqual([[], Float32Array.of(0.5)]);
  });

  it('is refused in one sentence wherever it was cut', () => {
    const path = written(ending, write());
    for (let length = readFileSync(path).length - 1; length >= 0; length -= 7) {
      truncateSync(path, length);
      expect(complaint(() => open(path))).toMatch(/cut short/);
    }
  });

  it('is refused when its members are encrypted', () => {
    expect(complaint(() => open(written(ending, write({ encrypted: true }))))).toMatch(/encrypted/);
  });
});

describe('.npz', () => {
  it('is refused where a member is no array', () => {
    const path = written('npz', zipFile({ 'a.npy': Buffer.from('hello, world!') }));
    expect(complaint(() => openNpz(path))).toMatch(/"a.npy", which is no array of NumPy/);
  });
});

describe('.pt', () => {
  const open = (others: Parameters<typeof torchFile>[1]) =>
    openTorchFile(written('pt', torchFile({ vector: arrays.vector! }, others)));

  it('gives numbers and texts beside tensors, those of a dict by their path', () => {
    const inner = Buffer.from('}(X\u0001\0\0\0kK\u0020u', 'latin1');
    expect([...open({ activation: 'TopK', state: inner, none: Buffer.from('N') }).values]).toEqual([
      ['activation', 'TopK'],
      ['state.k', 32],
      ['none', null],
    ]);
  });

  it.each([
    ['a function that would be called', pickledCall('os', 'system', 'echo'), /would call os\.system/],
    ['a class that would be made', Buffer.from('cbuiltins\nobject\n)\x81', 'latin1'), /the operation 0x81/],
    ['a name through another', pickledCall('torch', 'load', 'x'), /would call torch\.load/],
    ['an old instance', Buffer.from('(ios\nsystem\n'), /the operation 0x69/],
  ])('%s is refused by name', (_, code, message) => {
    expect(complaint(() => open({ bad: code }))).toMatch(message);
  });

  it('is read as PyTorch wrote it before version 1.6, and refused in one sentence wherever it was cut', () => {
    const path = written('pt', oldTorchFile(arrays, { k: 32 }));
    const file = openTorchFile(path);
    expect([file.names, [...file.values]]).toEqual([Object.keys(arrays), [['k', 32]]]);
    for (const name of ['matrix', 'turned'])
      expect(file.read(name)).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(file.read('vector')).toEqual(Float32Array.of(7, 8, 9));
    for (let length = readFileSync(path).length - 1; length > 0; length -= 7) {
      truncateSync(path, length);
      expect(complaint(() => openTorchFile(path))).toMatch(/cut short|ends too early|not one of PyTorch/);
    }
    const called = oldTorchFile({}, { bad: pickledCall('os', 'system', 'echo') });
    expect(complaint(() => openTorchFile(written('pt', called)))).toMatch(/would call os\.system/);
    const fewer = oldTorchFile(arrays).toString('latin1').replace('\x03\0\0\0\0\0\0\0', '\x04\0\0\0\0\0\0\0');
    expect(complaint(() => openTorchFile(written('pt', Buffer.from(fewer, 'latin1'))))).toMatch(
      /makes no sense/,
    );
  });

  it('is refused where a tensor has gaps', () => {
    const bytes = torchFile({ gaps: { shape: [2, 2], data: new Float32Array(8) } }).toString('latin1');
    const stride = '(J\x02\0\0\0J\x01\0\0\0t';
    const path = written('pt', Buffer.from(bytes.replace(stride, '(J\x04\0\0\0J\x01\0\0\0t'), 'latin1'));
    expect(complaint(() => openTorchFile(path))).toMatch(/gaps/);
  });
});
