/** @file What the pickles of PyTorch's files hold: tensors, by storages whose bytes are elsewhere, and plain values. */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../tensor-spec.js';
import { elementBytes, isName, isShape, NamedArrays, quoted, type StoredArray } from './named-arrays.js';
import { type Callable, type PickleDict, PickleName } from './pickle.js';

/** What a state dict holds beside tensors. */
export type PlainValue = number | string | boolean | null;

/** Tensors by their path: `encoder.weight`, also of a dict within the dict. */
export class TorchFile extends NamedArrays {
  constructor(
    arrays: ReadonlyMap<string, StoredArray>,
    path: string,
    /** Numbers and texts, by their path too. */
    readonly values: ReadonlyMap<string, PlainValue>,
  ) {
    super(arrays, path);
  }
}

/** By the storage's class, as safetensors spells types. */
const storages = new Map(
  Object.entries({
    'torch DoubleStorage': 'F64',
    'torch FloatStorage': 'F32',
    'torch HalfStorage': 'F16',
    'torch BFloat16Storage': 'BF16',
    'torch LongStorage': 'I64',
    'torch IntStorage': 'I32',
    'torch ShortStorage': 'I16',
    'torch CharStorage': 'I8',
    'torch ByteStorage': 'U8',
    'torch BoolStorage': 'BOOL',
  }),
);

/** A pickle holds names and shapes; tensors are beside it. */
export const MAX_PICKLE = 50_000_000;
/** Limits for the values in the pickle: how deeply containers are nested, and how many entries they have. */
const MAX_DEPTH = 20;
const MAX_ENTRIES = 100_000;

/** A tensor whose bytes are not read. */
class StoredTensor {
  constructor(readonly stored: StoredArray) {}
}

/** The bytes that tensors are made of. */
export interface TensorBytes {
  readonly size: number;
  readonly load: (start: number, bytes: number) => ArrayBuffer;
}

interface Storage {
  readonly dtype: string;
  readonly bytes: TensorBytes;
}

/**
 * A storage by what a pickle has in its place.
 *
 * @param id - `('storage', class, key, device, elements, …)`
 * @param bytesOf - where its bytes are; undefined where they are missing
 */
export function storage(
  id: unknown,
  path: string,
  bytesOf: (key: string, width: number, elements: unknown) => TensorBytes | undefined,
): Storage {
  const [kind, type, key, , elements] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleName ? storages.get(type.name) : undefined;
  if (kind !== 'storage' || typeof key !== 'string' || dtype === undefined) {
    const what = type instanceof PickleName ? quoted(type.name.replace(' ', '.')) : 'an unknown kind';
    throw new UserError(`${path} has a tensor of ${what}, which is not read; save it as safetensors instead`);
  }
  const bytes = bytesOf(key, elementBytes.get(dtype)!, elements);
  if (!bytes) throw new UserError(`${path} is damaged: the bytes of a tensor are missing; download it again`);
  return { dtype, bytes };
}

/** The functions that a file of tensors calls. */
export function callables(path: string): ReadonlyMap<string, Callable> {
  return new Map<string, Callable>([
    ['collections OrderedDict', () => new Map()], // its entries come after
    ['torch._utils _rebuild_tensor_v2', (args) => rebuilt(args, path)],
    ['torch._utils _rebuild_tensor', (args) => rebuilt(args, path)], // before PyTorch 0.4
    ['torch._utils _rebuild_parameter', ([tensor]) => tensor],
    ['torch Size', ([sizes]) => sizes],
  ]);
}

/** @param args - `(storage, offset, size, stride, …)`, offset and stride in elements */
function rebuilt([source, offset, shape, stride]: readonly unknown[], path: string): StoredTensor {
  const bad = (what: string) => new UserError(`${path} is damaged: a tensor ${what}; download it again`);
  const { dtype, bytes: held } = (source ?? {}) as Partial<Storage>;
  const isOffset = Number.isSafeInteger(offset) && (offset as number) >= 0;
  if (!held || dtype === undefined || !isOffset || !isShape(shape) || !isShape(stride))
    throw bad('makes no sense');
  const width = elementBytes.get(dtype)!;
  const start = (offset as number) * width;
  const bytes = sizeOf(shape) * width;
  if (!(start + bytes <= held.size)) throw bad('reaches beyond its bytes');
  const transposed = !isDense(shape, stride);
  if (transposed && !(shape.length === 2 && isDense([...shape].reverse(), [...stride].reverse())))
    throw new UserError(
      `${path} has a tensor with gaps between its elements, which is not read; save it contiguous`,
    );
  return new StoredTensor({
    path,
    dtype,
    shape,
    bytes,
    transposed,
    load: (from, count) => held.load(start + from, count),
  });
}

/** Whether elements lie one after the other, the last axis first. */
function isDense(shape: readonly number[], stride: readonly number[]): boolean {
  if (shape.length !== stride.length) return false;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Tensors and plain values of what was saved, by their path. */
export function flattened(saved: unknown, path: string): TorchFile {
  const arrays = new Map<string, StoredArray>();
  const values = new Map<string, PlainValue>();
  let left = MAX_ENTRIES;
  const visit = (value: unknown, name: string, depth: number): void => {
    if (left-- === 0 || depth > MAX_DEPTH || !isName(name))
      throw new UserError(`${path} is no list of tensors: ${quoted(name)} is nested too deep or too odd`);
    if (value instanceof StoredTensor) arrays.set(name, value.stored);
    else if (value instanceof Map || Array.isArray(value)) {
      for (const [key, item] of (value as PickleDict | unknown[]).entries())
        visit(item, name === '' ? String(key) : `${name}.${String(key)}`, depth + 1);
    } else if (value === null || ['number', 'string', 'boolean'].includes(typeof value))
      values.set(name, value as PlainValue);
  };
  visit(saved, '', 0);
  return new TorchFile(arrays, path, values);
}
