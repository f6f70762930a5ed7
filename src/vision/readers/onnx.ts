/** @file An ONNX file as a network: the graph rebuilt in our operations, so that it can be differentiated. */
import { basename } from 'node:path';
import { UserError } from '../../core/errors.js';
import {
  integerTypes,
  type OnnxGraph,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../../engine/compiler/onnx-proto.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { GraphBuilder } from '../layers/graph.js';
import { param } from '../layers/params.js';
import { shown } from '../limits.js';
import type { NetworkReader } from '../model-file.js';
import { VisionNetwork } from '../network.js';
import { FoldedWeights } from './folded-weights.js';
import { Importer } from './importer.js';
import { type ImageInput, inputRange, ultralyticsInput } from './known-inputs.js';
import { readOnnxFile } from './onnx-file.js';
import { addAliases } from './onnx-names.js';
import { isOnnxDomain, OnnxTranslation } from './onnx-translation.js';
import { checkTensor, isFloat, OnnxWeights, tensorNumbers } from './onnx-weights.js';
import { type ForeignValue, mostNumbers, numbersValue, weightValue } from './values.js';

export interface OnnxOptions {
  /** What messages call it; default: the file's name. */
  readonly name?: string;
  /** Height and width where the file leaves them open; default 224. */
  readonly size?: number;
}

/**
 * Reads an .onnx file (weights inside or in files beside it). Layers are called what the file calls its nodes, and also
 * by the PyTorch modules they came from, where the exporter wrote those down.
 *
 * @throws UserError for a graph that does not read one image, that starts with an operator that is not supported, or
 *   for a damaged file; an unsupported operator further on makes what lies behind it unreachable
 */
export function onnxNetwork(path: string, options: OnnxOptions = {}): VisionNetwork {
  const model = readOnnxFile(path);
  const { graph: file } = model;
  const opset = model.opsetImport?.find(({ domain }) => isOnnxDomain(domain))?.version ?? 1;
  const stored = new OnnxWeights(path);
  const weights = new FoldedWeights(stored);
  const known = ultralyticsInput(model.metadataProps ?? []);
  const image = imageInput(file, path, options.size ?? known?.size ?? 224);
  const graph = new GraphBuilder([image.height, image.width, image.channels]);
  const importer = new Importer(graph, weights);
  const constant = (name: string, tensor: OnnxTensor): ForeignValue => {
    const dims = checkTensor(tensor, path);
    // So many integers are no sizes or axes.
    if (!isFloat(tensor) && sizeOf(dims) <= mostNumbers)
      return numbersValue(Array.from(tensorNumbers(tensor, path)), dims);
    stored.add(name, tensor);
    return weightValue(param(stored, name), !isFloat(tensor));
  };
  const picture = image.channelsFirst ? importer.image(graph.input) : importer.plain(graph.input);
  const translation = new OnnxTranslation(importer, model.functions ?? [], opset, basename(path), constant);
  const nodes = translation.run(file, new Map([[image.name, picture]]));
  const { unreachable } = translation;
  addAliases(graph, file.node, unreachable);
  const built = graph.build();
  const writers = new Map(nodes.flatMap(({ outputs, label }) => outputs.map((name) => [name, label])));
  return new VisionNetwork({
    name: options.name ?? basename(path, '.onnx'),
    graph: built,
    weights,
    unreachable,
    outputs: (file.output ?? []).flatMap(({ name }) => writers.get(name ?? '') ?? []),
    input: {
      height: image.height,
      width: image.width,
      channels: image.channels,
      ...inputRange({ graph: built, weights, ...image, known, isCertain: true }),
    },
  });
}

/** The one input that is no initializer, which must be an image. */
function imageInput(file: OnnxGraph, path: string, size: number): ImageInput {
  const stored = new Set((file.initializer ?? []).map(({ name }) => name));
  const inputs = (file.input ?? []).filter(({ name }) => !stored.has(name));
  const [input] = inputs;
  const dims = (info: OnnxValueInfo | undefined): (number | undefined)[] =>
    (info?.type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) =>
      dimValue !== undefined && dimValue > 0 ? dimValue : undefined,
    );
  const [batch, second, third, fourth, ...more] = dims(input);
  const isChannels = (dim: number | undefined): boolean => dim !== undefined && dim <= 4;
  const channelsFirst = isChannels(second) || !isChannels(fourth);
  const channels = channelsFirst ? second : fourth;
  if (inputs.length !== 1 || !input?.name || dims(input).length !== 4 || more.length > 0 || !channels) {
    const found = inputs
      .slice(0, 8)
      .map((info) => `${info.name} [${shown(dims(info).map((dim) => dim ?? '?'))}]`)
      .join(', ');
    throw new UserError(
      `${path} must read one image [batch, channel, height, width], not ${found || 'nothing'}`,
    );
  }
  if (batch !== undefined && batch !== 1) {
    throw new UserError(
      `${path} was exported for batches of ${batch}: export it with a batch of 1, or a dynamic one`,
    );
  }
  const [height, width] = channelsFirst ? [third, fourth] : [second, third];
  const isInteger = integerTypes.has(input.type?.tensorType?.elemType);
  return {
    name: input.name,
    height: height ?? size,
    width: width ?? size,
    channels,
    channelsFirst,
    isInteger,
  };
}

export const readOnnx: NetworkReader = ({ file, label, size }) =>
  onnxNetwork(file, { ...(label && { name: label }), ...(size !== undefined && { size }) });
