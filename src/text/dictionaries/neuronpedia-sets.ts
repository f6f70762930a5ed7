/**
 * @file Sets of dictionaries that Neuronpedia has, and where their files are. Models: np_model_to_hf.json of
 * github.com/hijohnnylin/neuronpedia. Repositories and paths: the field `neuronpedia` of sae_lens/pretrained_saes.yaml in
 * github.com/jbloomAus/SAELens, October 2025.
 */

/** One dictionary a layer, as `gemma-2-2b/20-gemmascope-res-16k` is that of layer 20. */
export interface SourceSet {
  readonly model: string;
  readonly name: string;
  /** On the Hugging Face hub. */
  readonly repo: string;
  /** In the repository; `{layer}` and `{l0}` stand for numbers. */
  readonly path: string;
  readonly layers: readonly number[];
  /** Latents active at a token, as the path has them, beside `layers`. */
  readonly l0?: readonly number[];
}

/** Repositories of models, by Neuronpedia's name. */
export const neuronpediaModels: Readonly<Record<string, string>> = {
  'gemma-2-2b': 'google/gemma-2-2b',
  'gemma-2-9b': 'google/gemma-2-9b',
  'gemma-2-9b-it': 'google/gemma-2-9b-it',
  'gemma-2-27b': 'google/gemma-2-27b',
  'gpt2-small': 'openai-community/gpt2',
  'llama3.1-8b': 'meta-llama/Llama-3.1-8B',
  'llama3.1-8b-it': 'meta-llama/Llama-3.1-8B-Instruct',
  'pythia-70m-deduped': 'EleutherAI/pythia-70m-deduped',
  'qwen2.5-7b-it': 'Qwen/Qwen2.5-7B-Instruct',
  'qwen3-0.6b': 'Qwen/Qwen3-0.6B',
  'qwen3-1.7b': 'Qwen/Qwen3-1.7B',
  'qwen3-4b': 'Qwen/Qwen3-4B',
  'qwen3-8b': 'Qwen/Qwen3-8B',
  'qwen3-14b': 'Qwen/Qwen3-14B',
};

const upTo = (layers: number): number[] => Array.from({ length: layers }, (_, layer) => layer);

type Layers = readonly number[];

const gemmaScope = (model: string, repo: string, width: string, layers: Layers, l0: Layers): SourceSet => ({
  model,
  name: `gemmascope-${repo.endsWith('transcoders') ? 'transcoder' : repo.split('-').at(-1)}-${width}`,
  repo: `google/gemma-scope-${repo}`,
  path: `layer_{layer}/width_${width}/average_l0_{l0}`,
  layers,
  l0,
});

const set = (model: string, name: string, repo: string, path: string, layers: Layers): SourceSet => ({
  model,
  name,
  repo,
  path,
  layers,
});

// biome-ignore format: a table
export const neuronpediaSets: readonly SourceSet[] = [
  gemmaScope('gemma-2-27b', '27b-pt-res', '131k', [10, 22, 34], [106, 82, 72]),
  gemmaScope('gemma-2-2b', '2b-pt-att', '16k', upTo(26), [
    104, 79, 93, 117, 116, 135, 61, 99, 129, 127, 70, 80, 85, 92, 71, 98, 71, 79, 72, 122, 62, 65, 106, 73,
    96, 77,
  ]),
  gemmaScope('gemma-2-2b', '2b-pt-att', '65k', upTo(26), [
    75, 98, 125, 83, 87, 99, 112, 96, 112, 107, 67, 75, 79, 87, 66, 90, 129, 70, 123, 106, 102, 118, 112,
    140, 77, 63,
  ]),
  gemmaScope('gemma-2-2b', '2b-pt-mlp', '16k', upTo(26), [
    119, 105, 95, 95, 85, 114, 133, 60, 136, 88, 110, 98, 108, 112, 97, 80, 72, 68, 106, 109, 109, 113, 121,
    128, 73, 126,
  ]),
  gemmaScope('gemma-2-2b', '2b-pt-mlp', '65k', upTo(26), [
    72, 127, 134, 68, 66, 86, 101, 115, 110, 77, 95, 88, 96, 98, 89, 72, 66, 136, 88, 88, 88, 86, 92, 102,
    128, 107,
  ]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '16k', upTo(26), [
    105, 102, 141, 59, 124, 68, 70, 69, 71, 73, 77, 80, 82, 84, 84, 78, 78, 77, 74, 73, 71, 70, 72, 75, 73,
    116,
  ]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '1m', [5, 12, 19], [114, 107, 88]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '262k', [12], [121]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '32k', [12], [76]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '524k', [12], [115]),
  gemmaScope('gemma-2-2b', '2b-pt-res', '65k', upTo(26), [
    73, 121, 77, 89, 89, 105, 107, 107, 111, 118, 128, 70, 72, 75, 73, 127, 128, 125, 116, 115, 114, 111,
    116, 123, 124, 93,
  ]),
  gemmaScope('gemma-2-9b-it', '9b-it-res', '16k', [9, 20, 31], [88, 91, 76]),
  gemmaScope('gemma-2-9b-it', '9b-it-res', '131k', [9, 20, 31], [121, 81, 109]),
  gemmaScope('gemma-2-9b', '9b-pt-att', '16k', upTo(42), [
    61, 77, 69, 102, 126, 125, 108, 70, 65, 71, 132, 67, 68, 77, 81, 79, 81, 110, 80, 86, 76, 86, 70, 80,
    79, 73, 75, 136, 71, 76, 73, 73, 74, 78, 91, 77, 69, 82, 81, 77, 91, 129,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-att', '131k', upTo(42), [
    55, 116, 135, 119, 75, 78, 73, 106, 98, 111, 97, 104, 110, 126, 131, 130, 71, 90, 69, 71, 125, 71, 115,
    66, 130, 115, 120, 102, 115, 128, 109, 117, 117, 128, 63, 124, 105, 124, 135, 120, 64, 92,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-mlp', '16k', upTo(42), [
    50, 128, 81, 126, 66, 93, 96, 101, 124, 83, 114, 76, 96, 94, 97, 107, 91, 104, 89, 98, 108, 88, 85, 73,
    73, 72, 142, 126, 115, 111, 116, 94, 98, 107, 107, 108, 109, 119, 98, 90, 74, 126,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-mlp', '131k', upTo(42), [
    30, 106, 61, 109, 84, 131, 72, 75, 89, 129, 83, 120, 77, 75, 80, 89, 81, 91, 82, 85, 93, 79, 77, 67, 67,
    65, 110, 99, 91, 87, 89, 77, 76, 83, 82, 80, 81, 90, 79, 75, 125, 99,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '16k', upTo(42), [
    129, 69, 67, 90, 91, 77, 93, 92, 99, 100, 113, 118, 130, 132, 67, 131, 75, 73, 71, 132, 68, 129, 123,
    120, 114, 114, 116, 118, 119, 119, 120, 114, 111, 114, 114, 120, 120, 124, 128, 131, 125, 113,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '131k', upTo(42), [
    41, 56, 70, 103, 101, 94, 120, 119, 72, 75, 84, 88, 96, 99, 105, 103, 121, 117, 113, 110, 114, 109, 105,
    101, 97, 96, 97, 96, 98, 97, 95, 92, 88, 91, 89, 94, 93, 96, 101, 99, 94, 84,
  ]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '1m', [9, 20, 31], [122, 101, 77]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '32k', [20], [57]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '524k', [20], [48]),
  gemmaScope('gemma-2-9b', '9b-pt-res', '65k', [20], [55]),
  set('gpt2-small', 'att_128k-oai', 'jbloom/GPT2-Small-OAI-v5-128k-attn-out-SAEs', 'v5_128k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'att_32k-oai', 'jbloom/GPT2-Small-OAI-v5-32k-attn-out-SAEs', 'v5_32k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'mlp_128k-oai', 'jbloom/GPT2-Small-OAI-v5-128k-mlp-out-SAEs', 'v5_128k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'mlp_32k-oai', 'jbloom/GPT2-Small-OAI-v5-32k-mlp-out-SAEs', 'v5_32k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'res-jb', 'jbloom/GPT2-Small-SAEs-Reformatted', 'blocks.{layer}.hook_resid_pre', upTo(12)),
  set('gpt2-small', 'res-jb', 'jbloom/GPT2-Small-SAEs-Reformatted', 'blocks.11.hook_resid_post', [12]),
  set('gpt2-small', 'res_mid_128k-oai', 'jbloom/GPT2-Small-OAI-v5-128k-resid-mid-SAEs', 'v5_128k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'res_mid_32k-oai', 'jbloom/GPT2-Small-OAI-v5-32k-resid-mid-SAEs', 'v5_32k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'res_post_128k-oai', 'jbloom/GPT2-Small-OAI-v5-128k-resid-post-SAEs', 'v5_128k_layer_{layer}', upTo(12)),
  set('gpt2-small', 'res_post_32k-oai', 'jbloom/GPT2-Small-OAI-v5-32k-resid-post-SAEs', 'v5_32k_layer_{layer}.pt', upTo(12)),
  set('llama3.1-8b', 'llamascope-att-131k', 'fnlp/Llama3_1-8B-Base-LXA-32x', 'Llama3_1-8B-Base-L{layer}A-32x', upTo(32)),
  set('llama3.1-8b', 'llamascope-att-32k', 'fnlp/Llama3_1-8B-Base-LXA-8x', 'Llama3_1-8B-Base-L{layer}A-8x', upTo(32)),
  set('llama3.1-8b', 'llamascope-mlp-131k', 'fnlp/Llama3_1-8B-Base-LXM-32x', 'Llama3_1-8B-Base-L{layer}M-32x', upTo(32)),
  set('llama3.1-8b', 'llamascope-mlp-32k', 'fnlp/Llama3_1-8B-Base-LXM-8x', 'Llama3_1-8B-Base-L{layer}M-8x', upTo(32)),
  set('llama3.1-8b', 'llamascope-res-131k', 'fnlp/Llama3_1-8B-Base-LXR-32x', 'Llama3_1-8B-Base-L{layer}R-32x', upTo(32)),
  set('llama3.1-8b', 'llamascope-res-32k', 'fnlp/Llama3_1-8B-Base-LXR-8x', 'Llama3_1-8B-Base-L{layer}R-8x', upTo(32)),
  set('pythia-70m-deduped', 'att-sm', 'ctigges/pythia-70m-deduped__att-sm_processed', '{layer}-att-sm', upTo(6)),
  set('pythia-70m-deduped', 'mlp-sm', 'ctigges/pythia-70m-deduped__mlp-sm_processed', '{layer}-mlp-sm', upTo(6)),
  set('pythia-70m-deduped', 'res-sm', 'ctigges/pythia-70m-deduped__res-sm_processed', '{layer}-res-sm', upTo(6)),
  gemmaScope('gemma-2-2b', '2b-pt-transcoders', '16k', upTo(26), [
    76, 65, 49, 54, 88, 87, 95, 70, 52, 72, 88, 5, 6, 8, 8, 8, 10, 12, 13, 12, 11, 13, 15, 25, 37, 41,
  ]),
  set('qwen3-4b', 'transcoder-hp', 'mwhanna/qwen3-4b-transcoders', 'layer_{layer}.safetensors', upTo(36)),
  set('qwen3-8b', 'transcoder-hp', 'mwhanna/qwen3-8b-transcoders', 'layer_{layer}.safetensors', upTo(36)),
  set('qwen3-14b', 'transcoder-hp', 'mwhanna/qwen3-14b-transcoders', 'layer_{layer}.safetensors', upTo(40)),
  set('qwen3-14b', 'transcoder-hp-lowl0', 'mwhanna/qwen3-14b-transcoders-lowl0', 'layer_{layer}.safetensors', upTo(40)),
  set('qwen3-1.7b', 'transcoder-hp-lowl0', 'mwhanna/qwen3-1.7b-transcoders-lowl0', 'layer_{layer}.safetensors', upTo(28)),
  set('qwen3-0.6b', 'transcoder-hp-lowl0', 'mwhanna/qwen3-0.6b-transcoders-lowl0', 'layer_{layer}.safetensors', upTo(28)),
  set('llama3.1-8b-it', 'resid-post-aa', 'andyrdt/saes-llama-3.1-8b-instruct', 'resid_post_layer_{layer}/trainer_1', [3, 7, 11, 15, 19, 23, 27]),
  set('qwen2.5-7b-it', 'resid-post-aa', 'andyrdt/saes-qwen2.5-7b-instruct', 'resid_post_layer_{layer}/trainer_1', [3, 7, 11, 15, 19, 23, 27]),
];
