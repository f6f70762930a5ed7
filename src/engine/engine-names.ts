/** @file The engines and the devices by name. Imports little: for code that only lists them. */
import { channelBlock } from './channel-block.js';
import { plainTraits, type Traits } from './traits.js';

/** How a function is executed: compiled for ONNX Runtime (the default), or eagerly by TensorFlow or in JavaScript. */
export const engineNames = ['onnx', 'tensorflow', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];

/**
 * Where the engine `onnx` computes: on the processor (the default), or on a GPU, through WebGPU or CUDA. How arrays and
 * programs get there is in `backends/worker-device.ts`.
 */
export const devices = {
  cpu: {
    rough: 'int8',
    fastHardSigmoid: true,
    packsConstants: true,
    channelBlock: channelBlock(),
    widensHalves: true,
    viewsWeights: true,
    misreadsThrees: false,
    lacksKernels: false,
  },
  webgpu: { ...plainTraits, rough: 'float16', misreadsThrees: true, lacksKernels: true },
  cuda: { ...plainTraits, viewsWeights: true },
} as const satisfies Readonly<Record<string, Traits>>;
export type Device = keyof typeof devices;
export const deviceNames = Object.keys(devices) as readonly Device[];

/** What can be asked for; `auto`: the first device but the cpu that can be used here, else the cpu. */
export const deviceChoices = [...deviceNames, 'auto'] as const;
export type DeviceChoice = (typeof deviceChoices)[number];

/**
 * The two halves of the processor: `onnx` on half of the cores each, in a thread of its own, so that two functions compute side
 * by side (docs/decisions/24-halves-of-the-processor.md). Arrays that stay in one are of no use to the other.
 */
export const halfEngines = ['onnx:half', 'onnx:other half'] as const;

/** What computes, and where: an engine, or `onnx` on a device that is not the cpu or on half of it. */
export type Engine = EngineName | `onnx:${Exclude<Device, 'cpu'>}` | (typeof halfEngines)[number];

/** Engines other than `onnx` have the cpu only. */
export const engineOn = (engine: EngineName, device: Device): Engine =>
  engine === 'onnx' && device !== 'cpu' ? `onnx:${device}` : engine;

/** The environment variable that says how many threads an operation on the CPU may have at the most. */
export const THREADS_VARIABLE = 'SUPERSTIM_THREADS';
