/**
 * @file Adapters on disk in the layout of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`,
 * whose names are `base_model.model.MODULE.lora_A.weight`. Format: huggingface.co/docs/peft, "PEFT checkpoint format".
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import { clipped } from '../core/visible.js';
import { sameShape } from '../engine/tensor-spec.js';
import { readFinite } from '../engine/weights/finite.js';
import { openSafetensors, writeSafetensors } from '../engine/weights/safetensors.js';
import type { WeightArray } from '../engine/weights/weights.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { readBy } from '../text/lm/families/family.js';
import type { TransformerSpec } from '../text/lm/spec.js';
import { type Lora, loraLayout, loraNames, loraShapes } from './lora.js';

const CONFIG = 'adapter_config.json';
const ARRAYS = 'adapter_model.safetensors';
const PREFIX = 'base_model.model.';

/**
 * Writes an adapter so that `PeftModel.from_pretrained(model, folder)` loads it.
 *
 * @param baseModel - the name of the frozen model, as PEFT's config keeps it
 */
export function writePeft(folder: string, { layout, arrays }: Lora, baseModel: string): void {
  makeFolder(folder);
  const named = [...arrays].map(([name, array]) => [`${PREFIX}${name}`, array] as const);
  writeSafetensors(join(folder, ARRAYS), named, { metadata: { format: 'pt' } });
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: layout.rank,
    lora_alpha: layout.alpha,
    lora_dropout: 0,
    target_modules: layout.modules,
    fan_in_fan_out: layout.spec.modules.matrices === 'in,out',
    bias: 'none',
    modules_to_save: null,
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
  };
  writeFileByRename(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

const rank = z.int('a whole number from 1 to 4096').min(1).max(4096);
const positive = z.number('a number above 0').gt(0);
/** Exceptions by module: ends of module names. */
const pattern = <T>(value: z.ZodType<T>) => z.record(z.string().regex(/^[\w.]{1,200}$/), value).default({});

/** What is used of adapter_config.json; PEFT writes null for what is not set. */
const configSchema = z.object({
  peft_type: z.string('a string'),
  r: rank,
  lora_alpha: positive,
  rank_pattern: pattern(rank),
  alpha_pattern: pattern(positive),
  use_rslora: z.boolean('true or false').default(false),
  use_dora: z.boolean('true or false').default(false),
  lora_bias: z.boolean('true or false').default(false),
  bias: z.string('a string').default('none'),
  modules_to_save: z.array(z.string(), 'a list of names').default([]),
});

/**
 * Reads an adapter, saved here or by PEFT. Modules of different ranks are filled up with zeros to the largest, and what
 * scales them otherwise is put into their B.
 *
 * @throws UserError when the folder holds none, one of another kind, or one of another model
 */
export function readPeft(folder: string, spec: TransformerSpec): Lora {
  const path = join(folder, CONFIG);
  const config = readBy(configSchema, readJson(path), path);
  const unsupported = (what: string) =>
    new UserError(`${path} describes ${what}, which is not supported: give a plain LoRA adapter`);
  if (config.peft_type !== 'LORA') throw unsupported(`an adapter of type ${shown(config.peft_type)}`);
  if (config.use_dora) throw unsupported('DoRA ("use_dora")');
  if (config.modules_to_save.length > 0) throw unsupported('whole modules ("modules_to_save")');
  if (config.bias !== 'none' || config.lora_bias) throw unsupported('trained biases');

  const file = openSafetensors(join(folder, ARRAYS));
  /** From the names of arrays as they are here to those in the file. */
  const stored = new Map(file.names.map((name) => [plainName(name), name]));
  const modules = [...stored.keys()].flatMap((name) => name.match(/^(.*)\.lora_A\.weight$/)?.[1] ?? []);
  if (modules.length === 0) throw new UserError(`${join(folder, ARRAYS)} holds no LoRA arrays`);
  const settings = modules.map((module) => ({
    module,
    rank: forModule(config.rank_pattern, module) ?? config.r,
    alpha: forModule(config.alpha_pattern, module) ?? config.lora_alpha,
  }));
  const scaleOf = (rank: number, alpha: number) => alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
  const largest = Math.max(...settings.map(({ rank }) => rank));
  const layout = {
    ...loraLayout(spec, { rank: largest, alpha: config.lora_alpha, targets: modules }),
    scale: scaleOf(config.r, config.lora_alpha),
  };
  const shapes = loraShapes(layout);
  const arrays = new Map<string, WeightArray>();
  for (const { module, rank, alpha } of settings) {
    const names = loraNames(module);
    const [inputs, outputs] = [shapes.get(names.a)![1]!, shapes.get(names.b)![0]!];
    const a = readArray(names.a, [rank, inputs]);
    const b = readArray(names.b, [outputs, rank]);
    const factor = scaleOf(rank, alpha) / layout.scale;
    arrays.set(names.a, { shape: [largest, inputs], data: widened(a, rank * inputs, largest * inputs, 1) });
    arrays.set(names.b, { shape: [outputs, largest], data: widened(b, rank, largest, factor) });
  }
  const beyond = [...stored.keys()].find((name) => !arrays.has(name));
  if (beyond !== undefined) throw unsupported(`the array "${beyond}"`);
  return { layout, arrays };

  function readArray(name: string, shape: readonly number[]): Float32Array {
    const there = stored.get(name);
    const actual = there === undefined ? null : file.shape(there);
    if (actual && sameShape(actual, shape)) return readFinite(file, there!);
    throw new UserError(
      `the adapter in ${folder} belongs to another model: "${name}" should be of shape [${shape.join(', ')}] ` +
        (actual ? `but is [${actual.join(', ')}]` : 'but is missing'),
    );
  }
}

/** Without what PEFT puts around a name: `base_model.model.X.lora_A.default.weight` is `X.lora_A.weight`. */
function plainName(name: string): string {
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  return bare.replace(/\.(lora_[AB])\.default\.weight$/, '.$1.weight');
}

/** The exception for a module, if there is one. */
function forModule<T>(pattern: Readonly<Record<string, T>>, module: string): T | undefined {
  return Object.entries(pattern).find(([end]) => module === end || module.endsWith(`.${end}`))?.[1];
}

/** Rows of `width` filled up with zeros to `wide`, times a factor. */
function widened(values: Float32Array, width: number, wide: number, factor: number): Float32Array {
  if (width === wide && factor === 1) return values;
  const rows = values.length / width;
  const result = new Float32Array(rows * wide);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < width; i++) result[row * wide + i] = values[row * width + i]! * factor;
  return result;
}

const shown = (text: string) => `"${clipped(text)}"`;

/** Bytes of an adapter_config.json; they have a few thousand. */
const LARGEST = 10_000_000;

function readJson(path: string): object {
  if (!existsSync(path))
    throw new UserError(
      `there is no readable ${path}: give the folder of an adapter (adapter/ in the run folder of "superstim tune")`,
    );
  try {
    const config: unknown = JSON.parse(readRegularFile(path, LARGEST).toString());
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Said below.
  }
  throw new UserError(`${path} is not a JSON object`);
}
