/** @file The families of transformers that can be read, by the `model_type` of config.json. */
import { bloom } from './bloom.js';
import { exaone4 } from './exaone4.js';
import { falcon } from './falcon.js';
import type { Family } from './family.js';
import { gemma2 } from './gemma2.js';
import { gemma3, gemma3Text } from './gemma3.js';
import { gptNeo } from './gpt-neo.js';
import { gptNeox } from './gpt-neox.js';
import { gptOss } from './gpt-oss.js';
import { gpt2 } from './gpt2.js';
import { gptj } from './gptj.js';
import { granite } from './granite.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { olmo2, olmo3 } from './olmo.js';
import { opt } from './opt.js';
import { phi } from './phi.js';
import { phi3 } from './phi3.js';
import { qwen2, qwen3, qwen3Moe } from './qwen.js';
import { smollm3 } from './smollm3.js';
import { stablelm } from './stablelm.js';
import { starcoder2 } from './starcoder2.js';

export const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    bloom,
    exaone4,
    falcon,
    gemma2,
    gemma3,
    gemma3_text: gemma3Text,
    gpt2,
    gpt_neo: gptNeo,
    gpt_neox: gptNeox,
    gpt_oss: gptOss,
    gptj,
    granite,
    llama,
    mistral,
    mixtral,
    olmo2,
    olmo3,
    opt,
    phi,
    phi3,
    qwen2,
    qwen3,
    qwen3_moe: qwen3Moe,
    smollm3,
    stablelm,
    starcoder2,
  }),
);
