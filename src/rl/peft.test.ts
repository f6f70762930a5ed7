import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomModel, tinyConfigs, trainedLora } from '../../test/helpers/random-model.js';
import { openSafetensors, writeSafetensors } from '../engine/weights/safetensors.js';
import { firstLora, loraLayout } from './lora.js';
import { readPeft, writePeft } from './peft.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-peft-'));
afterAll(() => rmSync(root, { recursive: true }));

const { spec } = randomModel(tinyConfigs.llama);
const lora = trainedLora(
  firstLora(loraLayout(spec, { rank: 2, alpha: 6, targets: ['q_proj', 'down_proj'] }), 1),
);

/** A written adapter whose config was changed. */
function changed(name: string, changes: Record<string, unknown>): string {
  const folder = join(root, name);
  writePeft(folder, lora, 'base');
  const path = join(folder, 'adapter_config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, ...changes }));
  return folder;
}

describe('PEFT folders', () => {
  it('have the published names and shapes', () => {
    const folder = join(root, 'layout');
    writePeft(folder, lora, 'some/model');
    const file = openSafetensors(join(folder, 'adapter_model.safetensors'));
    expect(file.names).toHaveLength(3 * 2 * 2);
    // dModel 12, heads 4 of 6 dimensions, dMlp 10.
    expect(file.shape('base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight')).toEqual([2, 12]);
    expect(file.shape('base_model.model.model.layers.2.self_attn.q_proj.lora_B.weight')).toEqual([24, 2]);
    expect(file.shape('base_model.model.model.layers.0.mlp.down_proj.lora_A.weight')).toEqual([2, 10]);
    expect(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: 'some/model',
      r: 2,
      lora_alpha: 6,
      fan_in_fan_out: false,
      bias: 'none',
    });
  });

  it('of GPT-2 say that matrices are stored transposed', () => {
    const gpt2 = randomModel(tinyConfigs.gpt2).spec;
    const folder = join(root, 'gpt2');
    writePeft(folder, firstLora(loraLayout(gpt2, { rank: 1, alpha: 1, targets: ['c_attn'] }), 1), 'gpt2');
    const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ fan_in_fan_out: true });
    // [rank, in] and [out, rank], whichever way the matrix itself lies.
    const file = openSafetensors(join(folder, 'adapter_model.safetensors'));
    expect(file.shape('base_model.model.transformer.h.0.attn.c_attn.lora_B.weight')).toEqual([36, 1]);
  });

  it('come back as they were', () => {
    const folder = join(root, 'back');
    writePeft(folder, lora, 'base');
    const read = readPeft(folder, spec);
    expect(read.layout).toEqual(lora.layout);
    expect(new Map([...read.arrays].sort())).toEqual(new Map([...lora.arrays].sort()));
  });

  it('of rank-stabilized adapters scale by alpha / sqrt(rank)', () => {
    expect(readPeft(changed('rslora', { use_rslora: true }), spec).layout.scale).toBeCloseTo(6 / Math.SQRT2);
  });

  it.each([
    [{ peft_type: 'IA3' }, /type IA3/],
    [{ use_dora: true }, /"use_dora"/],
    [{ modules_to_save: ['lm_head'] }, /"modules_to_save"/],
    [{ rank_pattern: { q_proj: 4 } }, /"rank_pattern"/],
    [{ bias: 'all' }, /trained biases/],
    [{ r: 0 }, /no "r"/],
    [{ r: 3 }, /another model: .* should be of shape \[3, 12\] but is \[2, 12\]/],
  ])('that cannot be used are refused: %j', (changes, message) => {
    expect(() => readPeft(changed(`bad ${JSON.stringify(changes)}`, changes), spec)).toThrow(message);
  });

  it('that are missing, garbled or of another model are refused', () => {
    expect(() => readPeft(join(root, 'nothing'), spec)).toThrow(/give the folder of an adapter/);
    const folder = changed('garbled', {});
    writeFileSync(join(folder, 'adapter_config.json'), '{');
    expect(() => readPeft(folder, spec)).toThrow(/not a JSON object/);
    expect(() => readPeft(changed('other', {}), randomModel(tinyConfigs.gpt2).spec)).toThrow(/no matrix/);
    const extra = changed('extra', {});
    const file = join(extra, 'adapter_model.safetensors');
    const arrays = openSafetensors(file);
    const all = arrays.names.map((n) => [n, { shape: arrays.shape(n), data: arrays.read(n) }] as const);
    writeSafetensors(file, [
      ...all,
      ['base_model.model.lm_head.lora_magnitude_vector', { shape: [1], data: Float32Array.of(1) }],
    ]);
    expect(() => readPeft(extra, spec)).toThrow(/lora_magnitude_vector/);
  });
});
