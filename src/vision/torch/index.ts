/** @file Which PyTorch network a state dict belongs to, recognized by the names of its weights. */

import { UserError } from '../../core/errors.js';
import { clipped } from '../../core/visible.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { LayerGraph } from '../layers/graph.js';
import type { Param } from '../layers/params.js';
import { checkCount, limits } from '../limits.js';
import { VisionNetwork } from '../network.js';
import { checked, nameSchema } from '../readers/json-file.js';
import { alexnet } from './alexnet.js';
import type { ArchitectureConfig } from './config.js';
import { convnext } from './convnext.js';
import { googlenet } from './googlenet.js';
import { inceptionV3 } from './inception-v3.js';
import { mobilenetV2 } from './mobilenet-v2.js';
import type { TorchNetwork } from './modules.js';
import { RenamedWeights, renamed } from './renamed.js';
import { resnet } from './resnet.js';
import { spellings } from './spellings.js';
import { squeezenet } from './squeezenet.js';
import { vgg } from './vgg.js';
import { vit } from './vit.js';

type Build = (source: WeightSource, config: ArchitectureConfig) => TorchNetwork;

/** A network is the first whose telling weight is there. */
const architectures: readonly (readonly [telling: string, build: Build])[] = [
  ['inception3a.branch1.conv.weight', googlenet],
  ['Mixed_5b.branch1x1.conv.weight', inceptionV3],
  ['layer1.0.conv1.weight', resnet],
  ['features.3.squeeze.weight', squeezenet],
  ['features.1.conv.0.0.weight', mobilenetV2],
  ['blocks.1.0.conv_pwl.weight', mobilenetV2],
  ['patch_embed.proj.weight', vit],
  ['stages.0.blocks.0.conv_dw.weight', convnext],
  ['classifier.4.weight', alexnet],
  ['features.0.weight', vgg],
];

export interface TorchOptions {
  /** What messages call it; default: the architecture's name. */
  readonly name?: string;
  /** Where the model's own configuration says something else than is usual for the architecture. */
  readonly size?: number;
  /** What a `config.json` says beside the weights. */
  readonly config?: ArchitectureConfig;
}

/**
 * The network whose parameters these are, named as in torchvision, timm or transformers: AlexNet, VGG, GoogLeNet,
 * Inception v3, ResNet, SqueezeNet, MobileNetV2, ConvNeXt, and vision transformers. Throws UserError when they fit none
 * of them.
 */
export function torchNetwork(given: WeightSource, options: TorchOptions = {}): VisionNetwork {
  checkCount(given.names.length, limits.nodes, 'arrays of weights');
  for (const name of given.names) checked(nameSchema, name, 'the name of a weight');
  const weights = timmNamed(given);
  const names = new Set(weights.names);
  const found = architectures.find(([telling]) => names.has(telling));
  if (!found) {
    throw new UserError(
      `no known network has weights named like "${given.names.slice(0, 3).map(clipped).join('", "')}": known are AlexNet, VGG, ` +
        'GoogLeNet, Inception v3, ResNet, SqueezeNet, MobileNetV2, ConvNeXt and vision transformers (ViT, DeiT, DINO, CLIP) ' +
        'of torchvision, timm or transformers; export others as ONNX',
    );
  }
  const { name, modules, size, preprocessing, unused } = build(weights, options.config ?? {}, found[1]);
  const graph = modules.graph.build();
  const foreign = unusedWeights(graph, weights, unused);
  if (foreign.length > 0) {
    throw new UserError(
      `these weights are like those of ${name}, but have "${clipped(foreign[0]!)}" and ${foreign.length - 1} more that it has not: ` +
        'a variant that is not supported, export it as ONNX instead',
    );
  }
  const side = options.size ?? size;
  const channels = modules.graph.shape(modules.input)[3]!;
  return new VisionNetwork({
    name: options.name ?? name,
    graph,
    weights,
    input: {
      height: side,
      width: side,
      channels,
      preprocessing: channels === preprocessing.scale.length ? preprocessing : null,
    },
  });
}

/** Dictionaries of a checkpoint that hold the network, beside an optimizer's state and the like. */
const networkOfCheckpoint = /^(?:state_dict|model_state_dict|model|net|network)\./;

/** Weights without a prefix that wrappers and checkpoints put before all of them, by timm's names. */
function timmNamed(weights: WeightSource): WeightSource {
  const prefix = wrapperPrefix(weights.names);
  const bare = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const names = weights.names.filter((name) => name.startsWith(prefix)).map(bare);
  const spelling = spellings.find(({ telling }) => names.some((name) => telling.test(name)));
  if (!spelling && prefix === '') return weights;
  const isCheckpoint = networkOfCheckpoint.test(prefix);
  return new RenamedWeights(isCheckpoint ? onlyUnder(prefix, weights) : weights, (name) =>
    renamed(bare(name), spelling?.renaming ?? []),
  );
}

const onlyUnder = (prefix: string, weights: WeightSource): WeightSource => ({
  names: weights.names.filter((name) => name.startsWith(prefix)),
  shape: (name) => weights.shape(name),
  read: (name) => weights.read(name),
  ...(weights.halves && { halves: weights.halves }),
});

/** `module.` of DataParallel, `_orig_mod.` of compiled modules, `model.` of Lightning; several of them too. */
function wrapperPrefix(names: readonly string[]): string {
  const isTelling = (name: string): boolean =>
    architectures.some(([telling]) => name === telling) ||
    spellings.some(({ telling }) => telling.test(name));
  const prefixOf = (name: string): string =>
    /^(?:(?:state_dict|model_state_dict|module|_orig_mod|model|net|network|backbone|encoder)\.)*/.exec(
      name,
    )![0];
  for (const name of names) {
    const prefix = prefixOf(name);
    if (!isTelling(name.slice(prefix.length))) continue;
    const others = names.some((other) => !other.startsWith(prefix));
    return others && !networkOfCheckpoint.test(prefix) ? '' : prefix;
  }
  return '';
}

function build(weights: WeightSource, config: ArchitectureConfig, architecture: Build): TorchNetwork {
  try {
    return architecture(weights, config);
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
function unusedWeights(graph: LayerGraph, weights: WeightSource, known?: RegExp): string[] {
  const used = new Set(
    graph.nodes.flatMap(({ op }) => Object.values(op).map((setting) => (setting as Partial<Param>)?.name)),
  );
  return weights.names.filter((name) => !used.has(name) && !trainingOnly.test(name) && !known?.test(name));
}
