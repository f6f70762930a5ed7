/** @file Names of the engines; light, for who only lists them. */

/** How a function is executed: compiled for ONNX Runtime (the default), or eagerly by TensorFlow or in JavaScript. */
export const engineNames = ['onnx', 'tensorflow', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];

/** Where compiled functions run: on the processor (the first, the default), or on a GPU (through WebGPU). */
export const deviceNames = ['cpu', 'webgpu'] as const;
export type Device = (typeof deviceNames)[number];
