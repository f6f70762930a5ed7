import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../tensor-spec.js';
import { bf16FromFloat32, f16FromFloat32, float32FromBf16, float32FromF16 } from './half.js';
import { arrayInFile, NamedArrays } from './named-arrays.js';
import { openSafetensors, openSafetensorsFolder, type Safetensors, writeSafetensors } from './safetensors.js';

const root = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = root;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});

/** A file with this header and these bytes, whatever they are. */
function writeRaw(path: string, header: unknown, data = new Uint8Array()): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
}

/** The message of the UserError that `body` throws. */
function complaint(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

const array = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) =>
    fc
      .array(fc.float({ noNaN: true }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
      .map((data) => ({ shape, data: Float32Array.from(data) })),
  );
const arrays = fc
  .dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
    array,
    { maxKeys: 5 },
  )
  .map((dictionary) => new Map(Object.entries(dictionary)));

const rounded = {
  F32: (data: Float32Array) => data,
  F16: (data: Float32Array) => float32FromF16(f16FromFloat32(data)),
  BF16: (data: Float32Array) => float32FromBf16(bf16FromFloat32(data)),
};

describe('writing and reading', () => {
  it('gives back every array, f32 exactly, f16 and bf16 rounded', () => {
    fc.assert(
      fc.property(arrays, fc.constantFrom('F32', 'F16', 'BF16'), (written, dtype) => {
        const path = join(folder, 'a.safetensors');
        writeSafetensors(path, written, { dtype, metadata: { format: 'pt' } });
        const file = openSafetensors(path);
        expect(file.names.sort()).toEqual([...written.keys()].sort());
        expect(file.metadata).toEqual({ format: 'pt' });
        for (const [name, { shape, data }] of written) {
          expect(file.shape(name)).toEqual(shape);
          expect(file.read(name)).toEqual(rounded[dtype](data));
        }
      }),
    );
  });

  it('reads f64, bf16, u8, i32 and i64, and names a type that it cannot read', () => {
    const floats = Float32Array.of(1.5, -2, 0.125);
    const path = join(folder, 'mixed.safetensors');
    const data = Buffer.concat([
      Buffer.from(bf16FromFloat32(floats).buffer),
      Buffer.from(Int32Array.of(-7, 70000).buffer),
      Buffer.from(BigInt64Array.of(-1n, 1n << 30n).buffer),
      Buffer.from([1, 0]),
      Buffer.from(Float64Array.from(floats).buffer),
      Buffer.from([0, 255]),
    ]);
    writeRaw(
      path,
      {
        half: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] },
        i32: { dtype: 'I32', shape: [2], data_offsets: [6, 14] },
        i64: { dtype: 'I64', shape: [2], data_offsets: [14, 30] },
        mask: { dtype: 'BOOL', shape: [2], data_offsets: [30, 32] },
        bytes: { dtype: 'U8', shape: [2], data_offsets: [56, 58] },
        double: { dtype: 'F64', shape: [3], data_offsets: [32, 56] },
      },
      data,
    );
    const file = openSafetensors(path);
    expect(file.read('half')).toEqual(floats);
    expect(file.readArray('bytes')).toEqual(Int32Array.of(0, 255));
    expect(file.read('double')).toEqual(floats);
    expect(file.readArray('i32')).toEqual(Int32Array.of(-7, 70000));
    expect(file.readArray('i64')).toEqual(Int32Array.of(-1, 2 ** 30));
    expect(file.read('i32')).toEqual(Float32Array.of(-7, 70000));
    expect(complaint(() => file.read('mask'))).toMatch(/"mask" in .* is stored as BOOL/);
    expect(complaint(() => file.shape('nothing'))).toMatch(/no array named "nothing"/);
  });

  it('leaves no file behind when it cannot write', () => {
    const missing = join(folder, 'no', 'such', 'folder.safetensors');
    expect(complaint(() => writeSafetensors(missing, []))).toMatch(/could not write .* \(ENOENT\)/);
  });
});

describe('a model folder', () => {
  const weight = (value: number) => ({ shape: [2], data: Float32Array.of(value, value) });
  const writeIndex = (weightMap: unknown) =>
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));

  it('is read from its shards', () => {
    writeSafetensors(join(folder, 'one.safetensors'), [['a', weight(1)]]);
    writeSafetensors(join(folder, 'two.safetensors'), [['b', weight(2)]]);
    writeIndex({ a: 'one.safetensors', b: 'two.safetensors' });
    const model = openSafetensorsFolder(folder);
    expect(model.names).toEqual(['a', 'b']);
    expect(model.read('b')).toEqual(Float32Array.of(2, 2));
  });

  it('says which shard is missing, or lacks a weight', () => {
    writeSafetensors(join(folder, 'one.safetensors'), [['a', weight(1)]]);
    writeIndex({ a: 'one.safetensors', b: 'two.safetensors' });
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(
      /shard "two.safetensors", which is missing/,
    );
    writeIndex({ a: 'one.safetensors', b: 'one.safetensors' });
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(
      /"b" is in one.safetensors, where it is not/,
    );
    writeIndex({ a: '../one.safetensors' });
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(
      /"\.\.\/one\.safetensors", which leads out/,
    );
    writeIndex(undefined);
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(/no "weight_map"/);
  });

  it('says what is wrong with a folder without weights', () => {
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(/no model.safetensors and no/);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    expect(complaint(() => openSafetensorsFolder(folder))).toMatch(
      /pytorch_model\.bin is a checkpoint of PyTorch/,
    );
  });
});

describe('a damaged file', () => {
  const path = () => join(folder, 'model.safetensors');

  it('is found out when it is opened, wherever it was cut', () => {
    writeSafetensors(path(), [['a', { shape: [4], data: Float32Array.of(1, 2, 3, 4) }]]);
    const whole = readFileSync(path());
    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(path(), length);
      expect(complaint(() => openSafetensors(path()))).toMatch(length < 8 ? /it has \d bytes/ : /cut short/);
    }
  });

  it.each([
    ['a header that is no JSON', '{"a": {', /header is no JSON/],
    ['a header that is a list', '[]', /no JSON object/],
    ['an entry that is no object', { a: 1 }, /entry of "a" makes no sense/],
    [
      'a shape and a range that disagree',
      { a: { dtype: 'F32', shape: [1], data_offsets: [0, 8] } },
      /entry of "a" makes no sense/,
    ],
    [
      'a range that runs backwards',
      { a: { dtype: 'F32', shape: [0], data_offsets: [8, 4] } },
      /entry of "a" makes no sense/,
    ],
    [
      'a negative size',
      { a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } },
      /entry of "a" makes no sense/,
    ],
  ])('with %s is refused', (_, header, message) => {
    writeRaw(path(), header, new Uint8Array(8));
    expect(complaint(() => openSafetensors(path()))).toMatch(message);
  });

  it('that is something else altogether, or not there, is refused', () => {
    writeFileSync(path(), 'version https://git-lfs.github.com/spec/v1');
    expect(complaint(() => openSafetensors(path()))).toMatch(/first bytes are no header length/);
    expect(complaint(() => openSafetensors(join(folder, 'none')))).toMatch(/there is no such file/);
  });
});

describe('halves', () => {
  /** A file of so many rows of 2^14 elements, whose bytes are zeros that take no room on the disk. */
  function sparse(rows: number, dtype: string): Safetensors {
    const path = join(folder, `${rows}.safetensors`);
    const [matrix, vector] = [2 * rows * 2 ** 14, 2 ** 11];
    writeRaw(path, {
      m: { dtype, shape: [rows, 2 ** 14], data_offsets: [0, matrix] },
      v: { dtype, shape: [2 ** 10], data_offsets: [matrix, matrix + vector] },
    });
    truncateSync(path, readFileSync(path).length + matrix + vector);
    return openSafetensors(path);
  }

  it('are the matrices in half precision, and stay so where they are many', () => {
    const { halves } = sparse(2 ** 14, 'BF16');
    expect(halves!.stay).toBe(true);
    expect(halves!.type('m')).toBe('bfloat16');
    expect(halves!.type('v')).toBeUndefined();
    expect(sparse(2 ** 14, 'F16').halves!.type('m')).toBe('float16');
    expect(sparse(2 ** 14, 'I16').halves).toBeUndefined();
    expect(sparse(2 ** 14 - 1, 'BF16').halves!.stay).toBe(false);
  });

  it('are the bits in the file', () => {
    const bits = bf16FromFloat32(Float32Array.of(1, -2));
    const path = join(folder, 'a');
    writeFileSync(path, bits);
    const entries = new Map([
      ['a', arrayInFile(path, 'BF16', [1, 2], { start: 0, bytes: 4 })],
      ['large', arrayInFile('never read', 'BF16', [2 ** 14, 2 ** 14], { start: 0, bytes: 2 ** 29 })],
    ]);
    const file = new NamedArrays(entries, path);
    expect(file.halves!.read('a')).toEqual(bits);
    expect(file.read('a')).toEqual(Float32Array.of(1, -2));
  });
});
