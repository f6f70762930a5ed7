/** @file The arrays of an ONNX file: inside it, or beside it in files of their own. */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UserError } from '../../core/errors.js';
import { inside } from '../../core/inside.js';
import { type OnnxTensor, onnxTypes } from '../../engine/compiler/onnx-proto.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { fileSize, readRange } from '../../engine/weights/byte-ranges.js';
import { float32FromBf16, float32FromF16 } from '../../engine/weights/half.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { limits, shown } from '../limits.js';

/** How raw bytes become numbers, by `dataType`. */
const decoders: ReadonlyMap<number, NumberDecoder> = new Map<number, NumberDecoder>([
  [onnxTypes.float, { bytes: 4, decode: (bytes) => new Float32Array(bytes) }],
  [onnxTypes.double, { bytes: 8, decode: (bytes) => new Float64Array(bytes) }],
  [onnxTypes.float16, { bytes: 2, decode: (bytes) => float32FromF16(new Uint16Array(bytes)) }],
  [onnxTypes.bfloat16, { bytes: 2, decode: (bytes) => float32FromBf16(new Uint16Array(bytes)) }],
  [onnxTypes.int8, { bytes: 1, decode: (bytes) => new Int8Array(bytes) }],
  [onnxTypes.uint8, { bytes: 1, decode: (bytes) => new Uint8Array(bytes) }],
  [onnxTypes.bool, { bytes: 1, decode: (bytes) => new Uint8Array(bytes) }],
  [onnxTypes.int16, { bytes: 2, decode: (bytes) => new Int16Array(bytes) }],
  [onnxTypes.uint16, { bytes: 2, decode: (bytes) => new Uint16Array(bytes) }],
  [onnxTypes.int32, { bytes: 4, decode: (bytes) => new Int32Array(bytes) }],
  [onnxTypes.uint32, { bytes: 4, decode: (bytes) => new Uint32Array(bytes) }],
  [onnxTypes.int64, { bytes: 8, decode: (bytes) => new BigInt64Array(bytes) }],
  [onnxTypes.uint64, { bytes: 8, decode: (bytes) => new BigUint64Array(bytes) }],
]);

interface NumberDecoder {
  /** Bytes of one number. */
  readonly bytes: number;
  decode(bytes: ArrayBuffer): ArrayLike<number | bigint>;
}

const floats = new Set<number>([onnxTypes.float, onnxTypes.double, onnxTypes.float16, onnxTypes.bfloat16]);

export const isFloat = ({ dataType }: OnnxTensor): boolean => floats.has(dataType ?? 0);

/** Where a tensor kept in another file lies: `location`, `offset` and `length` in `externalData`. */
function outerRange(tensor: OnnxTensor, modelPath: string): { path: string; offset: number; length: number } {
  const entry = (key: string): string | undefined =>
    tensor.externalData?.find((property) => property.key === key)?.value;
  const location = entry('location') ?? '';
  const path = inside(dirname(modelPath), location, basename(modelPath));
  if (!existsSync(path)) {
    throw new UserError(
      `${basename(modelPath)} keeps its weights in ${location}, which is missing beside it: fetch that file too`,
    );
  }
  const size = fileSize(path);
  const offset = Number(entry('offset') ?? 0);
  const length = Number(entry('length') ?? size - offset);
  if (![offset, length].every((n) => Number.isSafeInteger(n) && n >= 0) || offset + length > size) {
    throw new UserError(`${location} ends before the weight "${tensor.name}": fetch that file again`);
  }
  return { path, offset, length };
}

/** The list that a tensor's numbers stand in, where they are no bytes. */
const listed = (tensor: OnnxTensor): readonly number[] =>
  [tensor.floatData, tensor.doubleData, tensor.int64Data, tensor.int32Data].find((list) => list?.length) ??
  [];

const decoderOf = ({ name = '', dataType = 0 }: OnnxTensor): NumberDecoder => {
  const decoder = decoders.get(dataType);
  if (decoder) return decoder;
  throw new UserError(`the tensor "${name}" has the element type ${dataType}, which is not supported`);
};

/**
 * The shape of a tensor, without reading its numbers.
 *
 * @throws UserError when they are missing, not as many as the shape says, or of a type without numbers
 */
export function checkTensor(tensor: OnnxTensor, modelPath: string): readonly number[] {
  const { name = '', dims = [], rawData, dataLocation } = tensor;
  const { bytes } = decoderOf(tensor);
  const stored =
    dataLocation === 1
      ? outerRange(tensor, modelPath).length / bytes
      : rawData
        ? rawData.length / bytes
        : listed(tensor).length;
  const isShape = dims.length <= limits.axes && dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (isShape && stored === sizeOf(dims)) return dims;
  throw new UserError(
    `the tensor "${name}" holds ${stored} numbers for the shape [${shown(dims)}]: the file is damaged, export it again`,
  );
}

/** The numbers of a tensor, in order. Throws UserError as `checkTensor`. */
export function tensorNumbers(tensor: OnnxTensor, modelPath: string): ArrayLike<number> {
  checkTensor(tensor, modelPath);
  const { decode, bytes } = decoderOf(tensor);
  const isHalf = isFloat(tensor) && bytes === 2;
  let numbers: ArrayLike<number | bigint>;
  if (tensor.dataLocation === 1) {
    const { path, offset, length } = outerRange(tensor, modelPath);
    numbers = decode(readRange(path, offset, length));
  } else if (tensor.rawData) {
    // Copied, so that it is aligned.
    numbers = decode(new Uint8Array(tensor.rawData).buffer);
  } else {
    numbers = isHalf ? decode(Uint16Array.from(listed(tensor)).buffer) : listed(tensor);
  }
  return typeof numbers[0] === 'bigint' ? Array.from(numbers, Number) : (numbers as ArrayLike<number>);
}

/** Float tensors of an ONNX model by name. */
export class OnnxWeights implements WeightSource {
  private readonly tensors = new Map<string, OnnxTensor>();

  constructor(private readonly modelPath: string) {}

  /** Throws UserError for a second tensor of that name. */
  add(name: string, tensor: OnnxTensor): void {
    if (this.tensors.has(name))
      throw new UserError(`${basename(this.modelPath)} holds two arrays "${name}": the file is damaged`);
    this.tensors.set(name, tensor);
  }

  get names(): string[] {
    return [...this.tensors.keys()];
  }

  shape(name: string): readonly number[] {
    return this.tensor(name).dims ?? [];
  }

  read(name: string): Float32Array {
    const numbers = tensorNumbers(this.tensor(name), this.modelPath);
    return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
  }

  private tensor(name: string): OnnxTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new UserError(`the model has no weight named "${name}"`);
    return tensor;
  }
}
