/** @file The devices of the worker: how a session is made for each, and how arrays get there and back. */
import * as ort from 'onnxruntime-node';
import { ONNX_TYPE } from '../compiler/graph.js';
import { encodeModel } from '../compiler/onnx-proto.js';
import { IR_VERSION, OPSET } from '../compiler/program.js';
import type { Device } from '../engine-names.js';
import { withinLimit } from '../threads.js';
import type { LoadOptions } from './backend.js';

// Else a library of a device that is not there is written to the terminal; the error says it too.
ort.env.logLevel = 'fatal';

interface SessionSettings extends Pick<LoadOptions, 'threads' | 'arena' | 'spins'> {
  /** Whether the model widens weights for each node that reads them (half-weights.ts): they must stay apart. */
  readonly widensHalves: boolean;
}

/** A model that is ready to run. */
export interface Sessions {
  /** The session whose outputs named in `keep` stay on the device. */
  keeping(keep: readonly string[]): Promise<ort.InferenceSession>;
  release(): Promise<void>;
}

/** Where arrays of the worker are. */
export interface WorkerDevice {
  /** A session that is released takes the arrays with it that it left on the device. */
  readonly ownsResults: boolean;
  open(model: Uint8Array, settings: SessionSettings): Promise<Sessions>;
  /** The array on the device. */
  place(tensor: ort.Tensor): Promise<ort.Tensor>;
}

/** The array in memory. */
export function fetchArray(tensor: ort.Tensor): Promise<ort.Tensor> {
  return tensor.location === 'gpu-buffer' ? copied(tensor, 'cpu') : Promise.resolve(tensor);
}

/** The same array in another shape; the original owns its memory. */
export function reshapedTensor(tensor: ort.Tensor, dims: readonly number[]): ort.Tensor {
  if (tensor.location !== 'gpu-buffer') return tensor.reshape(dims);
  return ort.Tensor.fromGpuBuffer(tensor.gpuBuffer, { dataType: tensor.type as 'float32', dims });
}

/** For how long a thread that spins looks for its next part of the work: about what waking one takes. */
const SPIN_MICROSECONDS = '20';

// -- cpu -------------------------------------------------------------------------------------------------------

const cpu: WorkerDevice = {
  ownsResults: false,
  async open(model, { threads, arena, spins, widensHalves }) {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      // Each of its passes takes time that grows with the square of the nodes that need no other: here, all that widen.
      graphOptimizationLevel: widensHalves ? 'disabled' : 'all',
      intraOpNumThreads: withinLimit(threads),
      interOpNumThreads: 1,
      enableCpuMemArena: arena,
      // Planned after the first run, the memory of all arrays is larger than what is in use at a time (decision 8).
      enableMemPattern: !widensHalves,
      executionMode: 'sequential',
      logSeverityLevel: 3,
      extra: {
        session: {
          // exp() of a masked score underflows to numbers that processors handle many times more slowly.
          set_denormal_as_zero: '1',
          // Threads that spin for longer take the cores that others need.
          intra_op: { allow_spinning: spins ? '1' : '0', spin_duration_us: SPIN_MICROSECONDS },
        },
        optimization: {
          // It moves the zeros of a Pad into the border of a max pool, where they never win: wrong for negative values.
          disable_specified_optimizers: 'Pad_Fusion',
        },
      },
    });
    return { keeping: async () => session, release: () => session.release() };
  },
  place: async (tensor) => tensor,
};

// -- webgpu ----------------------------------------------------------------------------------------------------

/** Element types that WebGPU computes with; arrays of others stay in memory. */
const webgpuTypes: readonly string[] = ['float32', 'int32'];

function webgpuSession(model: Uint8Array, onDevice: readonly string[]): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    logSeverityLevel: 4,
    preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer'])),
    extra: { optimization: { disable_specified_optimizers: 'Pad_Fusion' } },
  });
}

const LOST =
  'the GPU was lost (its driver ended what was computed): start the command again, or use the device cpu';
const FULL = 'the GPU has too little memory for this: use the device cpu, a smaller model or smaller batches';

/** What goes wrong on a GPU, in a sentence for the user; undefined for other errors. */
export function gpuTrouble(message: string): string | undefined {
  return webgpuTrouble(message) ?? cudaTrouble(message);
}

function webgpuTrouble(message: string): string | undefined {
  if (/Failed to get a WebGPU (adapter|device)/.test(message))
    return 'no GPU was found for the device webgpu (it needs a driver for Vulkan, Metal or Direct3D 12): use the device cpu';
  if (!/webgpu|dawn|wgpu/i.test(message)) return undefined;
  if (/device.{0,20}lost/i.test(message)) return LOST;
  // What could not be allocated is an invalid buffer; what is larger than a binding is bound in pieces, until too many.
  if (
    /out of memory|failed to allocate|OutOfMemory|Invalid Buffer.*previous error|StorageBuffersPer/i.test(
      message,
    )
  )
    return FULL;
  return undefined;
}

function cudaTrouble(message: string): string | undefined {
  if (!/cuda|cudnn|cublas/i.test(message)) return undefined;
  if (
    /AppendExecutionProvider_Cuda|backend not found|no available backend|no CUDA-capable|driver version/i.test(
      message,
    )
  )
    return 'CUDA was not found for the device cuda (it needs an NVIDIA driver, CUDA 12, cuDNN, and the CUDA libraries of onnxruntime-node: docs/install.md): use the device webgpu or cpu';
  if (/out of memory|ALLOC_FAILED|Failed to allocate|smaller than requested/i.test(message)) return FULL;
  return /(CUDA|CUDNN|CUBLAS) (failure|error)/i.test(message) ? LOST : undefined;
}

/** A session has its places of outputs fixed: one is made for each set of outputs that is to stay. */
class WebgpuSessions implements Sessions {
  private readonly made = new Map<string, Promise<ort.InferenceSession>>();

  constructor(private readonly model: Uint8Array) {}

  keeping(keep: readonly string[]): Promise<ort.InferenceSession> {
    const key = [...keep].sort().join(' ');
    const session = this.made.get(key) ?? webgpuSession(this.model, keep);
    this.made.set(key, session);
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.made.values()) await (await session).release();
  }
}

const copies = new Map<string, Promise<ort.InferenceSession>>();

/** The array in another place: the result of a graph that does nothing. (`Tensor.getData` ends the process here.) */
async function copied(tensor: ort.Tensor, to: 'cpu' | 'gpu-buffer'): Promise<ort.Tensor> {
  const key = `${tensor.type} ${to}`;
  const session = copies.get(key) ?? webgpuSession(identityModel(tensor.type), to === 'cpu' ? [] : ['y']);
  copies.set(key, session);
  return (await (await session).run({ x: tensor })).y!;
}

function identityModel(dtype: ort.Tensor.Type): Uint8Array {
  const type = { tensorType: { elemType: ONNX_TYPE[dtype as 'float32'] } };
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'copy',
      node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
      input: [{ name: 'x', type }],
      output: [{ name: 'y', type }],
    },
  });
}

const webgpu: WorkerDevice = {
  ownsResults: true,
  open: async (model) => new WebgpuSessions(model),
  place: async (tensor) =>
    tensor.location === 'gpu-buffer' || !webgpuTypes.includes(tensor.type)
      ? tensor
      : copied(tensor, 'gpu-buffer'),
};

// -- cuda ------------------------------------------------------------------------------------------------------

/** Arrays stay in memory: ONNX Runtime's interface for Node has no arrays on a CUDA device, so each run copies its feeds. */
const cuda: WorkerDevice = {
  ownsResults: false,
  async open(model) {
    // Products would be rounded to 10 bits; the interface for Node cannot set the provider's `use_tf32`.
    process.env.NVIDIA_TF32_OVERRIDE ??= '0';
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cuda'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      logSeverityLevel: 4,
      extra: { optimization: { disable_specified_optimizers: 'Pad_Fusion' } },
    });
    return { keeping: async () => session, release: () => session.release() };
  },
  async place(tensor) {
    await cudaFound();
    return tensor;
  },
};

let found: Promise<void> | undefined;

/** Throws where no CUDA device can be used. */
function cudaFound(): Promise<void> {
  found ??= cuda
    .open(identityModel('float32'), { threads: 0, arena: false, spins: false, widensHalves: false })
    .then((sessions) => sessions.release());
  return found;
}

export const workerDevices: Readonly<Record<Device, WorkerDevice>> = { cpu, webgpu, cuda };
