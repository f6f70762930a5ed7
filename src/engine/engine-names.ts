/** @file Names of the engines; light, for who only lists them. */

/** What computes: compiled for ONNX Runtime (the default), eager TensorFlow, eager JavaScript. */
export const engineNames = ['onnx', 'tensorflow', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];
