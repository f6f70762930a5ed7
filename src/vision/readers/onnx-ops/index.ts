/** @file The ONNX operators that are understood. */
import { own } from '../../../core/own.js';
import { onnxAttention } from './attention.js';
import type { OnnxRule } from './context.js';
import { onnxElementwise } from './elementwise.js';
import {
  conv,
  convTranspose,
  depthToSpace,
  gemm,
  globalPool,
  lrn,
  matMul,
  pool,
  prelu,
  resize,
} from './layers.js';
import { onnxLayout } from './layout.js';
import { onnxNorms } from './norms.js';
import { quantized } from './quantized.js';

const onnxOps: Readonly<Record<string, OnnxRule>> = {
  ...onnxElementwise,
  ...onnxLayout,
  ...onnxNorms,
  ...quantized,
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace(false),
  SpaceToDepth: depthToSpace(true),
  LRN: lrn,
  PRelu: prelu,
  MaxPool: pool('max pool'),
  AveragePool: pool('average pool'),
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
  Gemm: gemm,
  MatMul: matMul,
  Attention: onnxAttention,
  Resize: resize,
  Upsample: resize,
};

/** How an operator is translated; undefined where it is not supported. */
export const onnxRule = (operator: string): OnnxRule | undefined => own(onnxOps, operator);
