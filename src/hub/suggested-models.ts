/** @file A handful of models of the hub that are known to be good to begin with. */

export interface SuggestedModel {
  /** What `--model` takes. */
  readonly name: string;
  /** A unit of it. */
  readonly unit: string;
  readonly about: string;
}

export const suggestedModels: {
  readonly pictures: readonly SuggestedModel[];
  readonly text: readonly SuggestedModel[];
} = {
  pictures: [
    { name: 'timm/vgg19.tv_in1k', unit: 'block4_conv1:4', about: 'VGG19' },
    { name: 'timm/inception_v3.tv_in1k', unit: 'mixed3:1', about: 'Inception v3' },
    { name: 'timm/resnet50.tv_in1k', unit: 'layer3.2:10', about: 'ResNet-50' },
    { name: 'timm/vit_small_patch14_dinov2.lvd142m', unit: 'blocks.8.mlp:123', about: 'DINOv2, small' },
    { name: 'openai/clip-vit-base-patch32', unit: 'blocks.8.mlp:123', about: 'the image tower of CLIP' },
  ],
  text: [
    { name: 'openai-community/gpt2', unit: 'L5.H1', about: 'GPT-2, small' },
    { name: 'EleutherAI/pythia-70m', unit: 'L3.N1000', about: 'Pythia, 70 million parameters' },
    { name: 'HuggingFaceTB/SmolLM2-135M', unit: 'L10.H3', about: 'SmolLM 2, 135 million parameters' },
    { name: 'Qwen/Qwen3-0.6B', unit: 'L12.N1000', about: 'Qwen 3, 0.6 billion parameters' },
  ],
};
