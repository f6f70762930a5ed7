/** @file What weights do not tell of an architecture and a `config.json` of timm or transformers may: heads, epsilon, activation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import type { ActivationName } from '../layers/op.js';
import { readJsonFile } from '../readers/json-file.js';

/** What is missing is not said. */
export interface ArchitectureConfig {
  /** Attention heads. */
  readonly heads?: number;
  /** Of layer normalization. */
  readonly epsilon?: number;
  /** Of the MLPs. */
  readonly activation?: ActivationName;
  /** What the classifier reads: the class token, or the mean of the patches. */
  readonly pool?: 'token' | 'avg';
  /** Whether the weights are timm's, which resizes positions in its own way. */
  readonly isTimm?: boolean;
}

const towerSchema = z.object({
  num_attention_heads: z.int().positive().optional(),
  layer_norm_eps: z.number().positive().optional(),
  hidden_act: z.string().optional(),
});

const configSchema = towerSchema.extend({
  model_type: z.string().optional(),
  vision_config: towerSchema.optional(),
  architecture: z.string().optional(),
  global_pool: z.string().optional(),
  model_args: z.object({ num_heads: z.int().positive().optional() }).optional(),
});

/** Names of transformers and timm. */
const activations: ReadonlyMap<string, ActivationName> = new Map([
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu-tanh'],
  ['gelu_pytorch_tanh', 'gelu-tanh'],
  ['quick_gelu', 'gelu-quick'],
  ['relu', 'relu'],
  ['silu', 'silu'],
]);

/** The `config.json` of a folder; nothing where there is none. Throws UserError for one that is damaged or asks for what is not supported. */
export function architectureConfig(folder: string): ArchitectureConfig {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return {};
  const config = readJsonFile(path, configSchema);
  const tower = {
    ...(config.model_type?.startsWith('clip') && clipDefaults),
    ...(config.vision_config ?? config),
  };
  // timm says activation and epsilon by the name of the architecture.
  const { architecture = '' } = config;
  const named = architecture.includes('quickgelu') ? 'quick_gelu' : tower.hidden_act;
  const epsilon = /_clip_|_clip$/.test(architecture) ? 1e-5 : tower.layer_norm_eps;
  const activation = named === undefined ? undefined : activations.get(named);
  if (named !== undefined && activation === undefined)
    throw new UserError(`${path} asks for the activation "${named}", which is not supported`);
  const heads = config.model_args?.num_heads ?? tower.num_attention_heads;
  const pool = config.global_pool;
  return {
    isTimm: config.architecture !== undefined,
    ...(heads !== undefined && { heads }),
    ...(epsilon !== undefined && { epsilon }),
    ...(activation && { activation }),
    ...((pool === 'token' || pool === 'avg') && { pool }),
  };
}

/** What older files of CLIP leave out. */
const clipDefaults = { hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 };
