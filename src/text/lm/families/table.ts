/** @file The families of transformers that can be read, by the `model_type` of config.json. */
import type { Family } from './family.js';
import { gemma2 } from './gemma2.js';
import { gptNeo } from './gpt-neo.js';
import { gptNeox } from './gpt-neox.js';
import { gpt2 } from './gpt2.js';
import { gptj } from './gptj.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { phi3 } from './phi3.js';
import { qwen2, qwen3 } from './qwen.js';
import { smollm3 } from './smollm3.js';
import { starcoder2 } from './starcoder2.js';

export const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    gemma2,
    gpt2,
    gpt_neo: gptNeo,
    gpt_neox: gptNeox,
    gptj,
    llama,
    mistral,
    phi3,
    qwen2,
    qwen3,
    smollm3,
    starcoder2,
  }),
);
