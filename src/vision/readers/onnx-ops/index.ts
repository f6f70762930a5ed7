/** @file The ONNX operators that are understood. */
import { own } from '../../../core/own.js';
import { attention } from './attention.js';
import type { OnnxRule } from './context.js';
import { elementwise } from './elementwise.js';
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
import { layout } from './layout.js';
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from './norms.js';
import { quantized } from './quantized.js';

const onnxOps: Readonly<Record<string, OnnxRule>> = {
  ...elementwise,
  ...layout,
  ...quantized,
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace(false),
  SpaceToDepth: depthToSpace(true),
  GroupNormalization: groupNorm,
  RMSNormalization: rmsNorm,
  SimplifiedLayerNormalization: rmsNorm,
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
  Attention: attention,
  Resize: resize,
  Upsample: resize,
};

/** How an operator is translated; undefined where it is not supported. */
export const onnxRule = (operator: string): OnnxRule | undefined => own(onnxOps, operator);
