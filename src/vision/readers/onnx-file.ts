/** @file The bytes of an .onnx file as a model, within limits. */
import protobuf from 'protobufjs/light.js';
import { UserError } from '../../core/errors.js';
import { readRegularFile } from '../../core/regular-file.js';
import { decodeModel, type OnnxGraph, onnxMessages } from '../../engine/compiler/onnx-proto.js';
import { checkCount, limits } from '../limits.js';
import { checked, nameSchema } from './json-file.js';

/** A model with a graph that has nodes. */
export type OnnxFile = ReturnType<typeof decodeModel> & { readonly graph: OnnxGraph & { node: object[] } };

/**
 * Reads and decodes an .onnx file. Types of fields are those of the format's own description.
 *
 * @throws UserError when it is no regular file, no ONNX graph, or over the limits
 */
export function readOnnxFile(path: string): OnnxFile {
  const bytes = readRegularFile(path, limits.onnxBytes);
  const damaged = `${path} is no ONNX file, or a damaged one: export it again`;
  let model: ReturnType<typeof decodeModel>;
  try {
    checkCount(decodedSize(bytes), limits.onnxSize, `units of memory that ${path} would take`);
    model = decodeModel(bytes);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(damaged, { cause: error });
  }
  const { graph } = model;
  if (!graph?.node?.length)
    throw new UserError(`${path} holds no ONNX graph: the file is damaged or something else`);
  checkCount(graph.initializer?.length ?? 0, limits.nodes, `arrays in ${path}`);
  checkNames(graph, path);
  for (const { node = [] } of model.functions ?? []) checkNames({ node }, path);
  return model as OnnxFile;
}

function checkNames({ node: nodes = [], initializer = [], input = [] }: OnnxGraph, path: string): void {
  const named = [...initializer, ...input].map(({ name }) => name);
  for (const { name, opType, domain, input: reads, output: writes, attribute } of nodes) {
    for (const each of [name, opType, domain]) named.push(each);
    for (const each of reads ?? []) named.push(each);
    for (const each of writes ?? []) named.push(each);
    for (const { g } of attribute ?? []) if (g) checkNames(g, path);
  }
  for (const name of new Set(named)) if (name !== undefined) checked(nameSchema, name, `a name in ${path}`);
}

/** What a message, an integer of 64 bits, and anything else take in memory, in units of some 16 bytes. */
const weights = { message: 16, integer: 4, other: 1 } as const;

/** How much memory the decoded model would take, found without decoding it. Throws on bytes that are no message. */
function decodedSize(bytes: Uint8Array): number {
  const reader = protobuf.Reader.create(bytes);
  /** The messages that the reader is in, with their ends. */
  const open: { readonly type: protobuf.Type; readonly end: number }[] = [
    { type: onnxMessages.lookupType('Model'), end: bytes.length },
  ];
  let size = 0;
  for (let top = open.at(-1); top; top = open.at(-1)) {
    if (reader.pos >= top.end) {
      open.pop();
      continue;
    }
    const tag = reader.uint32();
    const field = top.type.fieldsById[tag >>> 3];
    if (field?.resolve().resolvedType instanceof protobuf.Type && (tag & 7) === 2) {
      const end = reader.uint32() + reader.pos;
      if (end > top.end) throw new RangeError('a message ends after the one that it is in');
      open.push({ type: field.resolvedType as protobuf.Type, end });
      size += weights.message;
    } else {
      const before = reader.pos;
      reader.skipType(tag & 7);
      const packed = field?.repeated && (tag & 7) === 2 && field.type !== 'string' && field.type !== 'bytes';
      const unit = field?.type === 'int64' ? weights.integer : weights.other;
      // A packed number takes a byte or more; floats take 4.
      const count = packed ? (reader.pos - before) / (field.type === 'float' ? 4 : 1) : 1;
      size += unit * count;
    }
    if (size > limits.onnxSize) return size;
  }
  return size;
}
