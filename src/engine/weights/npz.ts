/** @file NumPy's `.npz`: a zip archive with one `.npy` an array (NumPy's format 1 to 3). */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../tensor-spec.js';
import { elementBytes, isName, isShape, NamedArrays, quoted, type StoredArray } from './named-arrays.js';
import { openZip, type ZipMember } from './zip.js';

/** NumPy's little-endian types, as safetensors spells them. */
const dtypes = new Map(
  Object.entries({
    '<f8': 'F64',
    '<f4': 'F32',
    '<f2': 'F16',
    '<i8': 'I64',
    '<i4': 'I32',
    '<i2': 'I16',
    '|i1': 'I8',
    '|u1': 'U8',
    '|b1': 'BOOL',
  }),
);

/** A header is a line of text; longer ones are none. */
const MAX_HEADER = 10_000;

/**
 * Opens an archive: reads the headers of its arrays, no data. Arrays are named as in NumPy, without `.npy`.
 *
 * @throws UserError when the file is missing, cut short, damaged, or no archive of arrays
 */
export function openNpz(path: string): NamedArrays {
  const arrays = new Map<string, StoredArray>();
  for (const [file, member] of openZip(path)) {
    const name = /^(.+)\.npy$/s.exec(file)?.[1];
    const array = name !== undefined && isName(name) ? parseNpy(member, path) : null;
    if (array === null)
      throw new UserError(
        `${path} holds ${quoted(file)}, which is no array of NumPy; check that it is the right file`,
      );
    arrays.set(name!, array);
  }
  return new NamedArrays(arrays, path);
}

/** Null for what is no `.npy`. */
function parseNpy({ size, load }: ZipMember, path: string): StoredArray | null {
  if (size < 12) return null;
  const start = new DataView(load(0, 12));
  if (start.getUint32(0) !== 0x934e554d || start.getUint16(4) !== 0x5059) return null;
  const wide = start.getUint8(6) > 1;
  const headerStart = wide ? 12 : 10;
  const headerBytes = wide ? start.getUint32(8, true) : start.getUint16(8, true);
  const data = headerStart + headerBytes;
  if (headerBytes > MAX_HEADER || data > size) return null;
  const header = parseHeader(new TextDecoder().decode(load(headerStart, headerBytes)));
  if (header === null) return null;
  const { dtype, shape, transposed } = header;
  const bytes = (elementBytes.get(dtype) ?? 0) * sizeOf(shape);
  // A type that is not read keeps its name, for the message to the caller that asks for it.
  if (elementBytes.has(dtype) && size - data !== bytes) return null;
  return { path, dtype, shape, bytes, transposed, load: (from, count) => load(data + from, count) };
}

/** The header is a dict as Python prints it: `{'descr': '<f4', 'fortran_order': False, 'shape': (32, 40), }`. */
function parseHeader(text: string): { dtype: string; shape: number[]; transposed: boolean } | null {
  const descr = /'descr': *'([\w<>|=]{1,16})'/.exec(text)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || sizes === undefined) return null;
  const shape = sizes.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  const transposed = order === 'True' && shape.length > 1;
  if (!isShape(shape) || !Number.isSafeInteger(sizeOf(shape) * 8) || (transposed && shape.length > 2))
    return null;
  return { dtype: dtypes.get(descr) ?? descr, shape, transposed };
}
