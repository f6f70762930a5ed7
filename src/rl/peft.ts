/**
 * @file Adapters on disk in the layout of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`,
 * whose names are `base_model.model.MODULE.lora_A.weight`. Format: huggingface.co/docs/peft, "PEFT checkpoint format".
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { sameShape } from '../engine/tensor-spec.js';
import { openSafetensors, writeSafetensors } from '../engine/weights/safetensors.js';
import type { WeightArray } from '../engine/weights/weights.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import type { TransformerSpec } from '../text/lm/spec.js';
import { type Lora, loraLayout, loraShapes } from './lora.js';

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

/**
 * Reads an adapter, saved here or by PEFT.
 *
 * @throws UserError when the folder holds none, one of another kind, or one of another model
 */
export function readPeft(folder: string, spec: TransformerSpec): Lora {
  const path = join(folder, CONFIG);
  const config = readConfigFile(path);
  const unsupported = (what: string) =>
    new UserError(`${path} describes ${what}, which is not supported: give a plain LoRA adapter`);
  if (config.peft_type !== 'LORA') throw unsupported(`an adapter of type ${String(config.peft_type)}`);
  for (const option of ['use_dora', 'rank_pattern', 'alpha_pattern', 'modules_to_save', 'lora_bias'])
    if (isSet(config[option])) throw unsupported(`"${option}"`);
  if (isSet(config.bias) && config.bias !== 'none') throw unsupported('trained biases');
  const { r: rank, lora_alpha: alpha } = config;
  if (!isPositive(rank) || !isPositive(alpha)) throw new UserError(`${path} gives no "r" and "lora_alpha"`);

  const file = openSafetensors(join(folder, ARRAYS));
  const names = file.names.map((name) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name));
  const modules = names.flatMap((name) => name.match(/^(.*)\.lora_A\.weight$/)?.[1] ?? []);
  if (modules.length === 0) throw new UserError(`${join(folder, ARRAYS)} holds no LoRA arrays`);
  const layout = loraLayout(spec, { rank, alpha, targets: modules });
  const scale = config.use_rslora === true ? alpha / Math.sqrt(rank) : alpha / rank;
  const arrays = new Map<string, WeightArray>();
  for (const [name, shape] of loraShapes(layout)) {
    const stored = file.has(PREFIX + name) ? PREFIX + name : name;
    const actual = file.has(stored) ? file.shape(stored) : null;
    if (!actual || !sameShape(actual, shape))
      throw new UserError(
        `the adapter in ${folder} belongs to another model: "${name}" should be of shape [${shape.join(', ')}] ` +
          (actual ? `but is [${actual.join(', ')}]` : 'but is missing'),
      );
    arrays.set(name, { shape, data: file.read(stored) });
  }
  const beyond = names.find((name) => !arrays.has(name));
  if (beyond !== undefined) throw unsupported(`the array "${beyond}"`);
  return { layout: { ...layout, scale }, arrays };
}

function readConfigFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `there is no readable ${path}: give the folder of an adapter (adapter/ in the run folder of "superstim tune")`,
      { cause: error },
    );
  }
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null) return config as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new UserError(`${path} is not a JSON object`);
}

/** PEFT writes `null`, `false`, `{}` or `[]` for what is not used. */
function isSet(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}
