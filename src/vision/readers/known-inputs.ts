/** @file Networks of Keras whose training range is known, recognized by layers that no other network has. */
import { caffe, imagenet, type Preprocessing, range } from '../preprocess.js';

interface KnownInput {
  readonly size: number;
  readonly preprocessing: Preprocessing;
}

/** The first whose layers are all there. */
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
