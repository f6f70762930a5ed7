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

  it('may have modules of other ranks and scales, and PEFT’s names for them', () => {
    const folder = changed('patterns', {
      rank_pattern: { 'layers.1.self_attn.q_proj': 1 },
      alpha_pattern: { 'model.layers.1.self_attn.q_proj': 4, down_proj: 12 },
    });
    const file = join(folder, 'adapter_model.safetensors');
    const stored = openSafetensors(file);
    const narrow = 'model.layers.1.self_attn.q_proj';
    const values = (name: string) => stored.read(`base_model.model.${name}`);
    const thin = new Map([
      [`${narrow}.lora_A.weight`, { shape: [1, 12], data: values(`${narrow}.lora_A.weight`).slice(0, 12) }],
      [
        `${narrow}.lora_B.weight`,
        { shape: [24, 1], data: values(`${narrow}.lora_B.weight`).filter((_, i) => i % 2 === 0) },
      ],
    ]);
    const all = [...lora.arrays].map(([name, array]) => [name, thin.get(name) ?? array] as const);
    writeSafetensors(
      file,
      all.map(([name, array]) => [
        `base_model.model.${name.replace(/lora_([AB])/, 'lora_$1.default')}`,
        array,
      ]),
    );
    const read = readPeft(folder, spec);
    expect(read.layout).toMatchObject({ rank: 2, scale: 3 });
    const [b, own] = [read.arrays.get(`${narrow}.lora_B.weight`)!, thin.get(`${narrow}.lora_B.weight`)!];
    // Alpha 4 and rank 1 instead of 6 and 2; what is filled up adds nothing.
    expect([...b.data.slice(0, 4)]).toEqual(
      [(own.data[0]! * 4) / 3, 0, (own.data[1]! * 4) / 3, 0].map(Math.fround),
    );
    const down = 'model.layers.0.mlp.down_proj.lora_B.weight';
    expect(read.arrays.get(down)!.data[0]).toBe(Math.fround(2 * lora.arrays.get(down)!.data[0]!));
  });

  it.each([
    [{ peft_type: 'IA3' }, /type "IA3"/],
    [{ use_dora: true }, /DoRA \("use_dora"\)/],
    [{ modules_to_save: ['lm_head'] }, /"modules_to_save"/],
    [{ rank_pattern: { q_proj: 4 } }, /should be of shape \[4, 12\] but is \[2, 12\]/],
    [{ rank_pattern: { '(.*)+': 4 } }, /"rank_pattern/],
    [{ r: 2 ** 31 }, /2147483648 as "r"/],
    [{ bias: 'all' }, /trained biases/],
    [{ r: 0 }, /0 as "r"/],
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
