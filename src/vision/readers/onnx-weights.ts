/** @file The arrays of an ONNX file: inside it, or beside it in files of their own. */
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { type OnnxTensor, onnxTypes } from '../../engine/compiler/onnx-proto.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { float32FromBf16, float32FromF16 } from '../../engine/weights/half.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { fileSize, readRange } from './file-bytes.js';

/** How raw bytes become numbers, by `dataType`. */
const decoders: Readonly<Record<number, (bytes: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  [onnxTypes.float]: (bytes) => new Float32Array(bytes),
  [onnxTypes.double]: (bytes) => new Float64Array(bytes),
  [onnxTypes.float16]: (bytes) => float32FromF16(new Uint16Array(bytes)),
  [onnxTypes.bfloat16]: (bytes) => float32FromBf16(new Uint16Array(bytes)),
  [onnxTypes.int8]: (bytes) => new Int8Array(bytes),
  [onnxTypes.uint8]: (bytes) => new Uint8Array(bytes),
  [onnxTypes.bool]: (bytes) => new Uint8Array(bytes),
  [onnxTypes.int16]: (bytes) => new Int16Array(bytes),
  [onnxTypes.uint16]: (bytes) => new Uint16Array(bytes),
  [onnxTypes.int32]: (bytes) => new Int32Array(bytes),
  [onnxTypes.uint32]: (bytes) => new Uint32Array(bytes),
  [onnxTypes.int64]: (bytes) => new BigInt64Array(bytes),
  [onnxTypes.uint64]: (bytes) => new BigUint64Array(bytes),
};

const floats = new Set<number>([onnxTypes.float, onnxTypes.double, onnxTypes.float16, onnxTypes.bfloat16]);

export const isFloat = ({ dataType }: OnnxTensor): boolean => floats.has(dataType ?? 0);

/** Bytes kept in the file itself, aligned. */
function inner(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** Where a tensor kept in another file lies: `location`, `offset` and `length` in `externalData`. */
function outerRange(tensor: OnnxTensor, modelPath: string): { path: string; offset: number; length: number } {
  const entry = (key: string): string | undefined =>
    tensor.externalData?.find((property) => property.key === key)?.value;
  const path = join(dirname(modelPath), entry('location') ?? '');
  const size = fileSize(path);
  if (size === null) {
    throw new UserError(
      `${basename(modelPath)} keeps its weights in ${entry('location')}, which is missing beside it: fetch that file too`,
    );
  }
  const offset = Number(entry('offset') ?? 0);
  const length = Number(entry('length') ?? size - offset);
  if (offset + length > size) {
    throw new UserError(
      `${entry('location')} ends before the weight "${tensor.name}": fetch that file again`,
    );
  }
  return { path, offset, length };
}

function outer(tensor: OnnxTensor, modelPath: string): ArrayBuffer {
  const { path, offset, length } = outerRange(tensor, modelPath);
  return readRange(path, offset, length).buffer;
}

/** The numbers of a tensor, in order. Throws UserError when they are missing or of a type without numbers. */
export function tensorNumbers(tensor: OnnxTensor, modelPath: string): ArrayLike<number> {
  const { name = '', dataType = 0, dims = [] } = tensor;
  const decode = decoders[dataType];
  if (!decode)
    throw new UserError(`the tensor "${name}" has the element type ${dataType}, which is not supported`);
  const halves = dataType === onnxTypes.float16 || dataType === onnxTypes.bfloat16;
  const listed = [tensor.floatData, tensor.doubleData, tensor.int64Data, tensor.int32Data].find(
    (list) => list?.length,
  );
  let numbers: ArrayLike<number | bigint>;
  if (tensor.dataLocation === 1) numbers = decode(outer(tensor, modelPath));
  else if (tensor.rawData) numbers = decode(inner(tensor.rawData));
  else if (listed && halves) numbers = decode(Uint16Array.from(listed).buffer);
  else numbers = listed ?? [];
  if (numbers.length !== sizeOf(dims)) {
    throw new UserError(
      `the tensor "${name}" holds ${numbers.length} numbers for the shape [${dims}]: the file is damaged, export it again`,
    );
  }
  return typeof numbers[0] === 'bigint' ? Array.from(numbers, Number) : (numbers as ArrayLike<number>);
}

/** Float tensors of an ONNX model by name. */
export class OnnxWeights implements WeightSource {
  private readonly tensors = new Map<string, OnnxTensor>();

  constructor(private readonly modelPath: string) {}

  /** Throws UserError when the tensor is kept in a file that is missing or too short. */
  add(name: string, tensor: OnnxTensor): void {
    if (tensor.dataLocation === 1) outerRange(tensor, this.modelPath);
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
