/** @file Files of arrays as PyTorch and NumPy write them, for tests. */
import { type ZipOptions, zipFile } from './zip-file.js';

export interface TestArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** Written column by column. */
  readonly transposed?: boolean;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** `.npz` of float32 arrays. */
export function npzFile(arrays: Readonly<Record<string, TestArray>>, options?: ZipOptions): Buffer {
  const members = Object.entries(arrays).map(([name, { shape, data, transposed = false }]) => {
    const order = transposed ? 'True' : 'False';
    const dict = `{'descr': '<f4', 'fortran_order': ${order}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
    const header = Buffer.from(`${dict.padEnd(117)}\n`);
    const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
    return [`${name}.npy`, Buffer.concat([start, header, bytesOf(data)])] as const;
  });
  return zipFile(Object.fromEntries(members), options);
}

const text = (value: string) => Buffer.concat([Buffer.from('X'), uint32(value.length), Buffer.from(value)]);
const int = (value: number) => Buffer.concat([Buffer.from('J'), uint32(value)]);
const tuple = (...items: readonly Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const name = (module: string, attribute: string) => Buffer.from(`c${module}\n${attribute}\n`);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The call of a function of Python. */
export const pickledCall = (module: string, attribute: string, ...args: readonly string[]): Buffer =>
  Buffer.concat([name(module, attribute), tuple(...args.map(text)), Buffer.from('R')]);

/** The pickle of a state dict of float32 tensors, with other values as pickle code. */
function stateDict(
  arrays: Readonly<Record<string, TestArray>>,
  others: Readonly<Record<string, Buffer | string | number>>,
): Buffer {
  const tensors = Object.entries(arrays).map(([key, { shape, data, transposed }], i) => {
    const storage = tuple(
      text('storage'),
      name('torch', 'FloatStorage'),
      text(`${i}`),
      text('cpu'),
      int(data.length),
    );
    const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
    const args = [
      Buffer.concat([storage, Buffer.from('Q')]),
      int(0),
      tuple(...shape.map(int)),
      tuple(...(transposed ? [1, shape[0]!] : stride).map(int)),
      Buffer.from([0x89]),
      Buffer.concat([name('collections', 'OrderedDict'), Buffer.from(')R')]),
    ];
    return Buffer.concat([
      text(key),
      name('torch._utils', '_rebuild_tensor_v2'),
      tuple(...args),
      Buffer.from('R'),
    ]);
  });
  const plain = Object.entries(others).map(([key, value]) => {
    const code = typeof value === 'string' ? text(value) : typeof value === 'number' ? int(value) : value;
    return Buffer.concat([text(key), code]);
  });
  return Buffer.concat([Buffer.from([0x80, 2]), Buffer.from('}('), ...tensors, ...plain, Buffer.from('u.')]);
}

/** `.pt` of a state dict, as PyTorch writes it since version 1.6. */
export function torchFile(
  arrays: Readonly<Record<string, TestArray>>,
  others: Readonly<Record<string, Buffer | string | number>> = {},
  options?: ZipOptions,
): Buffer {
  const storages = Object.values(arrays).map(({ data }, i) => [`ae/data/${i}`, bytesOf(data)] as const);
  return zipFile({ 'ae/data.pkl': stateDict(arrays, others), ...Object.fromEntries(storages) }, options);
}

/** The same as before version 1.6. */
export function oldTorchFile(
  arrays: Readonly<Record<string, TestArray>>,
  others: Readonly<Record<string, Buffer | string | number>> = {},
): Buffer {
  const pickle = (...code: readonly Buffer[]) =>
    Buffer.concat([Buffer.from([0x80, 2]), ...code, Buffer.from('.')]);
  const list = Object.values(arrays);
  return Buffer.concat([
    Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
    pickle(int(1001)),
    pickle(Buffer.from('}('), text('little_endian'), Buffer.from([0x88]), Buffer.from('u')),
    stateDict(arrays, others),
    pickle(Buffer.from(']('), ...list.map((_, i) => text(`${i}`)), Buffer.from('e')),
    ...list.flatMap(({ data }) => [int64(data.length), bytesOf(data)]),
  ]);
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
