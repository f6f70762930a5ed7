/** @file The range of a network's pictures, as far as its file shows: its own scaling, its type, names of layers. */
import type { WeightSource } from '../../engine/weights/weights.js';
import type { LayerGraph } from '../layers/graph.js';
import type { InputSpec } from '../network.js';
import { ownRange } from '../own-scaling.js';
import { caffe, imagenet, type Preprocessing, range } from '../preprocess.js';

/** The one input of a graph, which is a picture. */
export interface ImageInput {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly channelsFirst: boolean;
  readonly isInteger: boolean;
}

export interface KnownInput {
  readonly size: number;
  readonly preprocessing: Preprocessing;
}

/** Networks of Keras by layers that no other one has; the first whose layers are all there. */
const networks: readonly (readonly [layers: readonly string[], input: KnownInput])[] = [
  [['block14_sepconv2'], { size: 299, preprocessing: range(-1, 1) }], // Xception
  [['mixed0', 'mixed10'], { size: 299, preprocessing: range(-1, 1) }], // InceptionV3
  [['block1_conv1', 'block5_pool'], { size: 224, preprocessing: caffe }], // VGG16, VGG19
  [['conv2_block1_preact_relu'], { size: 224, preprocessing: range(-1, 1) }], // ResNet50V2
  [['conv2_block1_concat'], { size: 224, preprocessing: imagenet }], // DenseNet
  [['conv2_block1_0_conv'], { size: 224, preprocessing: caffe }], // ResNet50
  [['res2a_branch2a'], { size: 224, preprocessing: caffe }], // ResNet50 of older Keras
  [['conv_dw_1'], { size: 224, preprocessing: range(-1, 1) }], // MobileNet
  [['expanded_conv_depthwise'], { size: 224, preprocessing: range(-1, 1) }], // MobileNetV2
  [['adjust_relu_1_stem_2'], { size: 224, preprocessing: range(-1, 1) }], // NASNet
];

/** Null when no known network has these layers. */
export function knownInput(layers: ReadonlySet<string>): KnownInput | null {
  return networks.find(([telling]) => telling.every((name) => layers.has(name)))?.[1] ?? null;
}

/** What networks of TensorFlow that do not say it are taken for: the convention of TensorFlow Hub. */
export const USUAL_OF_TENSORFLOW = '0..1';

/** Of networks that Ultralytics exports (YOLO), by the metadata of an ONNX file; null for others. */
export function ultralyticsInput(
  metadata: readonly { readonly key?: string; readonly value?: string }[],
): KnownInput | null {
  const isTheirs = metadata.some(({ key, value }) => key === 'author' && value === 'Ultralytics');
  return isTheirs ? { size: 640, preprocessing: range(0, 1) } : null;
}

export interface FileInput {
  readonly graph: LayerGraph;
  readonly weights: WeightSource;
  readonly channels: number;
  /** Whether the input is declared as integers. */
  readonly isInteger: boolean;
  /** What the names of layers remind of; a guess unless `isCertain`. */
  readonly known: KnownInput | null;
  readonly isCertain: boolean;
}

/** What a file shows of the range of its network's pictures. */
export function inputRange(file: FileInput): Pick<InputSpec, 'preprocessing' | 'isGuess'> {
  const { graph, weights, channels, isInteger, known, isCertain } = file;
  const certain = ownRange(graph, weights, channels) ?? (isInteger ? range(0, 255, channels) : null);
  if (certain) return { preprocessing: certain };
  const fits = known?.preprocessing.scale.length === channels;
  return { preprocessing: fits ? known.preprocessing : null, ...(fits && !isCertain && { isGuess: true }) };
}
