/**
 * @file PyTorch's modules as graph operations, by the names their parameters have in a state dict.
 *
 * A layer's name means what the next layer reads: `features.0` of VGG is after the ReLU that torchvision applies in
 * place, as it is for a forward hook that looks when the network has run.
 */
import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { GraphBuilder } from '../layers/graph.js';
import { fromOihw, param, transposed } from '../layers/params.js';
import type { Padding, Pads } from '../layers/windows.js';
import type { Preprocessing } from '../preprocess.js';

export interface ConvOptions {
  readonly stride?: number;
  /** Default: none. `half` keeps the size at stride 1: kernel >> 1 on each side. */
  readonly padding?: number | 'half';
  /** Rows and columns of the kernel, where weights of another size belong to another network. */
  readonly size?: number;
}

export interface TorchNetwork {
  readonly name: string;
  readonly modules: Modules;
  readonly size: number;
  readonly preprocessing: Preprocessing;
}

export class Modules {
  readonly graph: GraphBuilder;
  private readonly weightNames: ReadonlySet<string>;

  constructor(
    private readonly source: WeightSource,
    size: number,
    /** Epsilon of batch normalization. */
    private readonly epsilon = 1e-5,
  ) {
    this.graph = new GraphBuilder([size, size, 3]);
    this.weightNames = new Set(source.names);
  }

  get input(): number {
    return this.graph.input;
  }

  /** Whether the state dict has a weight `module.weight`. */
  has(module: string): boolean {
    return this.weightNames.has(`${module}.weight`);
  }

  /** `nn.Conv2d`; kernel size and groups are read off the weight. Not yet a layer. */
  conv(module: string, x: number, { stride = 1, padding = 0, size }: ConvOptions = {}): number {
    const kernel = fromOihw(param(this.source, `${module}.weight`));
    const [height, width, perGroup] = kernel.shape as [number, number, number, number];
    if (size !== undefined && (height !== size || width !== size)) {
      throw new UserError(
        `"${module}" is ${height}x${width} where this network has ${size}x${size}, as in networks for small pictures ` +
          '(CIFAR), whose strides and poolings the weights do not tell',
      );
    }
    const [rows, columns] = padding === 'half' ? [height >> 1, width >> 1] : [padding, padding];
    const pads: Pads = [rows, rows, columns, columns];
    return this.graph.add(
      {
        kind: 'conv',
        kernel,
        ...this.bias(module),
        window: { size: [height, width], strides: [stride, stride], dilations: [1, 1], padding: { pads } },
        groups: this.graph.shape(x).at(-1)! / perGroup,
      },
      x,
    );
  }

  /** `nn.BatchNorm2d` in evaluation mode. Not yet a layer. */
  batchNorm(module: string, x: number): number {
    const read = (name: string) => param(this.source, `${module}.${name}`);
    return this.graph.add(
      {
        kind: 'affine',
        mean: read('running_mean'),
        variance: read('running_var'),
        epsilon: this.epsilon,
        scale: read('weight'),
        shift: read('bias'),
      },
      x,
    );
  }

  /** `nn.Linear`. Not yet a layer. */
  linear(module: string, x: number): number {
    const kernel = transposed(param(this.source, `${module}.weight`), [1, 0]);
    return this.graph.add({ kind: 'dense', kernel, ...this.bias(module) }, x);
  }

  relu(x: number): number {
    return this.graph.add({ kind: 'activation', name: 'relu' }, x);
  }

  relu6(x: number): number {
    return this.graph.add({ kind: 'activation', name: 'clip', a: 0, b: 6 }, x);
  }

  maxPool(x: number, size: number, stride: number, padding = 0, ceil = false): number {
    return this.pool('max pool', x, size, stride, { pads: [padding, padding, padding, padding], ceil });
  }

  /** `F.avg_pool2d` with its default `count_include_pad`. */
  averagePool(x: number, size: number, stride: number, padding = 0): number {
    return this.pool('average pool', x, size, stride, { pads: [padding, padding, padding, padding] });
  }

  /** `nn.AdaptiveAvgPool2d(size)`; at size 1, without the two axes of length 1. */
  adaptiveAveragePool(x: number, size: number): number {
    if (size === 1) return this.graph.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: false }, x);
    return this.graph.add({ kind: 'resize', size: [size, size], options: { interpolation: 'area' } }, x);
  }

  /** `torch.flatten(x, 1)` */
  flatten(x: number): number {
    return this.graph.add({ kind: 'flatten', order: 'chw' }, x);
  }

  /** `torch.cat(parts, 1)` */
  concat(...parts: number[]): number {
    return this.graph.add({ kind: 'concat', axis: 3 }, ...parts);
  }

  add(a: number, b: number): number {
    return this.graph.add({ kind: 'add' }, a, b);
  }

  layer(name: string, node: number, kind?: string): number {
    return this.graph.layer(name, node, kind);
  }

  /**
   * torchvision's BasicConv2d: convolution `.conv`, batch norm `.bn`, ReLU. The layer is named after the whole.
   */
  basicConv(module: string, x: number, options: ConvOptions = {}): number {
    const y = this.layer(`${module}.conv`, this.conv(`${module}.conv`, x, options));
    const activated = this.relu(this.batchNorm(`${module}.bn`, y));
    this.layer(`${module}.bn`, activated, 'batch norm, relu');
    return this.layer(module, activated, 'conv, batch norm, relu');
  }

  private pool(
    kind: 'max pool' | 'average pool',
    x: number,
    size: number,
    stride: number,
    padding: Padding,
  ): number {
    return this.graph.add(
      {
        kind,
        window: { size: [size, size], strides: [stride, stride], dilations: [1, 1], padding },
        countPadding: true,
      },
      x,
    );
  }

  private bias(module: string): { bias?: ReturnType<typeof param> } {
    return this.weightNames.has(`${module}.bias`) ? { bias: param(this.source, `${module}.bias`) } : {};
  }
}
