/**
 * @file PyTorch's modules as graph operations, by the names their parameters have in a state dict.
 *
 * A layer's name means what the next layer reads: `features.0` of VGG is after the ReLU that torchvision applies in
 * place, as it is for a forward hook that looks when the network has run.
 */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { GraphBuilder } from '../layers/graph.js';
import type { ActivationName } from '../layers/op.js';
import { fromOihw, param, reshapedParam, transposed } from '../layers/params.js';
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
  /** Weights that belong to the network and that no layer reads. */
  readonly unused?: RegExp;
}

export interface ModuleSettings {
  /** Height and width of the picture. */
  readonly size: number;
  /** The first convolution, whose weights tell the channels of the picture. */
  readonly stem: string;
  /** Of batch normalization; default: PyTorch's. */
  readonly epsilon?: number;
}

export class Modules {
  readonly graph: GraphBuilder;
  private readonly weightNames: ReadonlySet<string>;

  constructor(
    private readonly source: WeightSource,
    private readonly settings: ModuleSettings,
  ) {
    const { size, stem } = settings;
    // Networks for grey pictures, depth or several frames differ in the first convolution alone.
    const channels = source.shape(`${stem}.weight`)[1] ?? 0;
    this.graph = new GraphBuilder([size, size, channels]);
    this.weightNames = new Set(source.names);
  }

  get input(): number {
    return this.graph.input;
  }

  /** Whether the state dict has a weight `module.weight`. */
  has(module: string): boolean {
    return this.hasArray(`${module}.weight`);
  }

  /** Whether the state dict has an array of that name. */
  hasArray(name: string): boolean {
    return this.weightNames.has(name);
  }

  /** How many modules there are of a row, from 0. */
  count(module: (i: number) => string): number {
    let count = 0;
    while (this.has(module(count))) count++;
    return count;
  }

  /** What a linear module reads: entries of its input's last axis. */
  inputs(module: string): number {
    return this.source.shape(`${module}.weight`)[1] ?? 0;
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
        epsilon: this.settings.epsilon ?? 1e-5,
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

  /** An array of the state dict, in a shape that holds as many entries. */
  constant(name: string, shape: (own: readonly number[]) => readonly number[]): number {
    const own = param(this.source, name);
    return this.graph.add({ kind: 'constant', value: reshapedParam(own, shape(own.shape)) });
  }

  /** `nn.LayerNorm` over the last axis, here also timm's LayerNorm2d. Not yet a layer. */
  layerNorm(module: string, x: number, epsilon: number): number {
    const scale = param(this.source, `${module}.weight`);
    const { bias: shift } = this.bias(module);
    return this.graph.add({ kind: 'layer norm', scale, ...(shift && { shift }), epsilon }, x);
  }

  /** Each channel times its entry of an array: LayerScale. */
  scaled(name: string, x: number): number {
    const scale = param(this.source, name);
    return this.graph.add({ kind: 'affine', scale: reshapedParam(scale, [sizeOf(scale.shape)]) }, x);
  }

  /** How much each head adds through `projection`. */
  headNorms(projection: string, z: number, heads: number): number {
    const kernel = transposed(param(this.source, `${projection}.weight`), [1, 0]);
    return this.graph.add({ kind: 'head norms', heads, kernel }, z);
  }

  activation(name: ActivationName, x: number): number {
    return this.graph.add({ kind: 'activation', name }, x);
  }

  /** The first half of the channels, activated, times the second (SwiGLU). */
  gated(name: ActivationName, x: number): number {
    const shape = this.graph.shape(x);
    const [axis, half] = [shape.length - 1, shape.at(-1)! / 2];
    const part = (begin: number): number =>
      this.graph.add({ kind: 'slice', axis, begin, end: begin + half, step: 1 }, x);
    return this.graph.add({ kind: 'multiply' }, this.activation(name, part(0)), part(half));
  }

  relu(x: number): number {
    return this.activation('relu', x);
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

  /** @param cls - the class token's values, where `node` has those of the patches */
  layer(name: string, node: number, kind?: string, cls?: number): number {
    return this.graph.layer(name, node, kind, cls);
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
    return this.hasArray(`${module}.bias`) ? { bias: param(this.source, `${module}.bias`) } : {};
  }
}
