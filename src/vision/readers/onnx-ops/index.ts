/** @file The ONNX operators that are understood. */
import { own } from '../../../core/own.js';
import type { OnnxRule } from './context.js';
import { elementwise } from './elementwise.js';
import {
  batchNorm,
  conv,
  gemm,
  globalPool,
  instanceNorm,
  layerNorm,
  lrn,
  matMul,
  pool,
  prelu,
  resize,
} from './layers.js';
import { layout } from './layout.js';

const onnxOps: Readonly<Record<string, OnnxRule>> = {
  ...elementwise,
  ...layout,
  Conv: conv,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  LayerNormalization: layerNorm,
  LRN: lrn,
  PRelu: prelu,
  MaxPool: pool('max pool'),
  AveragePool: pool('average pool'),
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
  Gemm: gemm,
  MatMul: matMul,
  Resize: resize,
  Upsample: resize,
};

/** How an operator is translated; undefined where it is not supported. */
export const onnxRule = (operator: string): OnnxRule | undefined => own(onnxOps, operator);
