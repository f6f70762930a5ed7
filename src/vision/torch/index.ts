/** @file Which PyTorch network a state dict belongs to, recognized by the names of its weights. */

import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { LayerGraph } from '../layers/graph.js';
import type { Param } from '../layers/params.js';
import { checkCount, clipped, limits } from '../limits.js';
import { VisionNetwork } from '../network.js';
import { checked, nameSchema } from '../readers/json-file.js';
import { alexnet } from './alexnet.js';
import { googlenet } from './googlenet.js';
import { inceptionV3 } from './inception-v3.js';
import { mobilenetV2 } from './mobilenet-v2.js';
import type { TorchNetwork } from './modules.js';
import { resnet } from './resnet.js';
import { squeezenet } from './squeezenet.js';
import { vgg } from './vgg.js';

/** A network is the first whose telling weight is there. */
const architectures: readonly (readonly [telling: string, build: (source: WeightSource) => TorchNetwork])[] =
  [
    ['inception3a.branch1.conv.weight', googlenet],
    ['Mixed_5b.branch1x1.conv.weight', inceptionV3],
    ['layer1.0.conv1.weight', resnet],
    ['features.3.squeeze.weight', squeezenet],
    ['features.1.conv.0.0.weight', mobilenetV2],
    ['blocks.1.0.conv_pwl.weight', mobilenetV2],
    ['classifier.4.weight', alexnet],
    ['features.0.weight', vgg],
  ];

export interface TorchOptions {
  /** What messages call it; default: the architecture's name. */
  readonly name?: string;
  /** Where the model's own configuration says something else than is usual for the architecture. */
  readonly size?: number;
}

/**
 * The network whose parameters these are, named as in torchvision or timm: AlexNet, VGG, GoogLeNet, Inception v3,
 * ResNet, SqueezeNet, MobileNetV2. Throws UserError when they fit none of them.
 */
export function torchNetwork(weights: WeightSource, options: TorchOptions = {}): VisionNetwork {
  checkCount(weights.names.length, limits.nodes, 'arrays of weights');
  for (const name of weights.names) checked(nameSchema, name, 'the name of a weight');
  const names = new Set(weights.names);
  const found = architectures.find(([telling]) => names.has(telling));
  if (!found) {
    throw new UserError(
      `no known network has weights named like "${weights.names.slice(0, 3).map(clipped).join('", "')}": known are AlexNet, VGG, ` +
        'GoogLeNet, Inception v3, ResNet, SqueezeNet and MobileNetV2 of torchvision or timm; export others as ONNX',
    );
  }
  const { name, modules, size, preprocessing } = build(weights, found[1]);
  const graph = modules.graph.build();
  const foreign = unusedWeights(graph, weights);
  if (foreign.length > 0) {
    throw new UserError(
      `these weights are like those of ${name}, but have "${clipped(foreign[0]!)}" and ${foreign.length - 1} more that it has not: ` +
        'a variant that is not supported, export it as ONNX instead',
    );
  }
  const side = options.size ?? size;
  return new VisionNetwork({
    name: options.name ?? name,
    graph,
    weights,
    input: {
      height: side,
      width: side,
      channels: 3,
      preprocessing: preprocessing,
    },
  });
}

function build(weights: WeightSource, architecture: (source: WeightSource) => TorchNetwork): TorchNetwork {
  try {
    return architecture(weights);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `a variant of a known network that is not supported, export it as ONNX instead: ${error.message}`,
    );
  }
}

/** Counters of training, and the extra heads of GoogLeNet and Inception v3 that only training uses. */
const trainingOnly = /num_batches_tracked$|^aux\d\.|^AuxLogits\./;

/** What the network would not read: its architecture must be another one. */
function unusedWeights(graph: LayerGraph, weights: WeightSource): string[] {
  const used = new Set(
    graph.nodes.flatMap(({ op }) => Object.values(op).map((setting) => (setting as Partial<Param>)?.name)),
  );
  return weights.names.filter((name) => !used.has(name) && !trainingOnly.test(name));
}
