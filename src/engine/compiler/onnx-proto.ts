/**
 * @file ONNX files as plain objects: the part of `onnx.proto` that describes inference graphs.
 * Field numbers are ONNX's (onnx/onnx.proto, IR version 3 to 12); names are in camel case.
 */
import protobuf from 'protobufjs/light.js';

/** `TensorProto.dataType`. */
export const onnxTypes = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export const integerTypes: ReadonlySet<number | undefined> = new Set([
  onnxTypes.uint8,
  onnxTypes.int8,
  onnxTypes.uint16,
  onnxTypes.int16,
  onnxTypes.int32,
  onnxTypes.int64,
  onnxTypes.uint32,
  onnxTypes.uint64,
]);

/** `AttributeProto.type`: must be set, ONNX Runtime does not guess it. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export interface OnnxTensor {
  name?: string;
  dims?: number[];
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  doubleData?: number[];
  externalData?: { key?: string; value?: string }[];
  /** 1: the values are in a file of their own, named in `externalData`. */
  dataLocation?: number;
}

export interface OnnxAttribute {
  name?: string;
  type?: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  /** In a function: the attribute of its caller that is meant. */
  refAttrName?: string;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
}

export interface OnnxNode {
  name?: string;
  opType?: string;
  domain?: string;
  /** An empty name is an optional input left out. */
  input?: string[];
  output?: string[];
  attribute?: OnnxAttribute[];
  metadataProps?: { key?: string; value?: string }[];
}

/** A size is a number, a name (`N`), or unknown. */
export interface OnnxDimension {
  dimValue?: number;
  dimParam?: string;
}

export interface OnnxValueInfo {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: OnnxDimension[] } } };
}

export interface OnnxGraph {
  name?: string;
  node?: OnnxNode[];
  initializer?: OnnxTensor[];
  input?: OnnxValueInfo[];
  output?: OnnxValueInfo[];
  valueInfo?: OnnxValueInfo[];
}

/** An operator that a file brings along. */
export interface OnnxFunction {
  name?: string;
  domain?: string;
  input?: string[];
  output?: string[];
  node?: OnnxNode[];
}

export interface OnnxModel {
  irVersion?: number;
  opsetImport?: { domain?: string; version?: number }[];
  producerName?: string;
  producerVersion?: string;
  graph?: OnnxGraph;
  metadataProps?: { key?: string; value?: string }[];
  functions?: OnnxFunction[];
}

type MessageField = [type: string, id: number, rule?: 'repeated' | 'packed'];

/** A message's fields in the JSON form of protobufjs. `packed` as in onnx.proto (proto2), so files match others' byte by byte. */
function message(fields: Record<string, MessageField>): protobuf.IType {
  const entries = Object.entries(fields).map(([name, [type, id, rule]]): [string, protobuf.IField] => [
    name,
    rule ? { type, id, rule: 'repeated', options: { packed: rule === 'packed' } } : { type, id },
  ]);
  return { fields: Object.fromEntries(entries) };
}

/** The messages of the format, by name. */
export const onnxMessages = protobuf.Root.fromJSON({
  nested: {
    Entry: message({ key: ['string', 1], value: ['string', 2] }),
    Tensor: message({
      dims: ['int64', 1, 'repeated'],
      dataType: ['int32', 2],
      floatData: ['float', 4, 'packed'],
      int32Data: ['int32', 5, 'packed'],
      int64Data: ['int64', 7, 'packed'],
      name: ['string', 8],
      rawData: ['bytes', 9],
      doubleData: ['double', 10, 'packed'],
      externalData: ['Entry', 13, 'repeated'],
      dataLocation: ['int32', 14],
    }),
    Attribute: message({
      name: ['string', 1],
      f: ['float', 2],
      i: ['int64', 3],
      s: ['bytes', 4],
      t: ['Tensor', 5],
      g: ['Graph', 6],
      floats: ['float', 7, 'repeated'],
      ints: ['int64', 8, 'repeated'],
      strings: ['bytes', 9, 'repeated'],
      type: ['int32', 20],
      refAttrName: ['string', 21],
    }),
    Function: message({
      name: ['string', 1],
      input: ['string', 4, 'repeated'],
      output: ['string', 5, 'repeated'],
      node: ['Node', 7, 'repeated'],
      domain: ['string', 10],
    }),
    Node: message({
      input: ['string', 1, 'repeated'],
      output: ['string', 2, 'repeated'],
      name: ['string', 3],
      opType: ['string', 4],
      attribute: ['Attribute', 5, 'repeated'],
      domain: ['string', 7],
      metadataProps: ['Entry', 9, 'repeated'],
    }),
    Dimension: message({ dimValue: ['int64', 1], dimParam: ['string', 2] }),
    Shape: message({ dim: ['Dimension', 1, 'repeated'] }),
    TensorType: message({ elemType: ['int32', 1], shape: ['Shape', 2] }),
    Type: message({ tensorType: ['TensorType', 1] }),
    ValueInfo: message({ name: ['string', 1], type: ['Type', 2] }),
    Graph: message({
      node: ['Node', 1, 'repeated'],
      name: ['string', 2],
      initializer: ['Tensor', 5, 'repeated'],
      input: ['ValueInfo', 11, 'repeated'],
      output: ['ValueInfo', 12, 'repeated'],
      valueInfo: ['ValueInfo', 13, 'repeated'],
    }),
    OperatorSet: message({ domain: ['string', 1], version: ['int64', 2] }),
    Model: message({
      irVersion: ['int64', 1],
      producerName: ['string', 2],
      producerVersion: ['string', 3],
      graph: ['Graph', 7],
      opsetImport: ['OperatorSet', 8, 'repeated'],
      metadataProps: ['Entry', 14, 'repeated'],
      functions: ['Function', 25, 'repeated'],
    }),
  },
});
const modelType = onnxMessages.lookupType('Model');

/** The bytes of an .onnx file. Integers of 64 bits are given as numbers and must be safe integers. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelType.encode(model).finish();
}

/**
 * The model in the bytes of an .onnx file; only fields that are present are set, `rawData` points into `bytes`.
 * Throws protobufjs' own error (or a RangeError) on bytes that are no protobuf message.
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  return modelType.toObject(modelType.decode(bytes), { longs: Number }) as OnnxModel;
}
