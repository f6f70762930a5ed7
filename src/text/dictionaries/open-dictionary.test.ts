/** Formats without files of their authors at hand, and dictionaries that are refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { npzFile, pickledCall, type TestArray, torchFile } from '../../../test/helpers/array-files.js';
import { randomModel, tinyConfigs } from '../../../test/helpers/random-model.js';
import { UserError } from '../../core/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors.js';
import { parseUnit } from '../readouts/kinds.js';
import { latentKind } from '../readouts/latent.js';
import { openDictionary } from './open-dictionary.js';

const root = mkdtempSync(join(tmpdir(), 'dictionary-'));
afterAll(() => rmSync(root, { recursive: true }));

const [size, width] = [20, 12];
const array = (...shape: number[]): TestArray => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
});
const linear = { 'encoder.weight': array(size, width), 'decoder.weight': array(width, size) };

/** Writes a file below the scratch folder. @returns its path */
function written(name: string, content: Buffer | string | Record<string, TestArray>): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  if (Buffer.isBuffer(content) || typeof content === 'string') writeFileSync(path, content);
  else writeSafetensors(path, Object.entries(content));
  return path;
}

const saelens = {
  W_enc: array(width, size),
  W_dec: array(size, width),
  b_enc: array(size),
  b_dec: array(width),
};
const cfg = { d_in: width, d_sae: size, hook_point: 'blocks.1.hook_resid_pre', activation_fn_str: 'relu' };

describe('formats by their published formulas', () => {
  it('OpenAI: a layer norm where k are kept', () => {
    const state = Buffer.from('}(X\u0001\0\0\0kK\u0003X\u000a\0\0\0postact_fnX\u0004\0\0\0ReLUu', 'latin1');
    const file = torchFile(
      { pre_bias: array(width), latent_bias: array(size), ...linear },
      { activation: 'TopK', activation_state_dict: state },
    );
    expect(openDictionary(written('resid_post_attn_v5_32k/autoencoders/1.pt', file))).toMatchObject({
      place: 'blocks.1.hook_resid_mid',
      size,
      width,
      encoder: { latents: 0 },
      bias: 'latent_bias',
      input: { normalization: 'layerNorm', subtract: 'pre_bias' },
      activation: { kind: 'topk', k: 3, signed: false },
    });
  });

  it('Qwen-Scope: k is in the name of the repository', () => {
    const file = torchFile({ W_enc: array(size, width), b_enc: array(size), W_dec: array(width, size) });
    expect(openDictionary(written('SAE-Res-Qwen3-1.7B-Base-W32K-L0_5/layer2.sae.pt', file))).toMatchObject({
      place: 'blocks.2.hook_resid_post',
      model: 'Qwen3-1.7B-Base',
      size,
      width,
      activation: { kind: 'topk', k: 5 },
    });
  });

  it('Llama Scope: the input is scaled', () => {
    const arrays = { ...linear, 'encoder.bias': array(size), 'decoder.bias': array(width) };
    written('llama-scope/checkpoints/final.safetensors', arrays);
    const config = {
      d_model: width,
      d_sae: size,
      jump_relu_threshold: 0.5,
      hook_point_in: 'blocks.1.hook_resid_post',
      dataset_average_activation_norm: { in: 2 },
    };
    written('llama-scope/hyperparams.json', JSON.stringify(config));
    const { input, activation } = openDictionary(join(root, 'llama-scope'));
    expect(input.scale).toBeCloseTo(Math.sqrt(width) / 2);
    expect(activation).toEqual({ kind: 'jump', threshold: 0.5 });
  });

  it('cross-layer transcoders: a layer is a file', () => {
    const path = written('clt/W_enc_1.safetensors', { W_enc_1: array(size, width), b_enc_1: array(size) });
    expect(openDictionary(path)).toMatchObject({ place: 'blocks.1.hook_resid_mid', size, width });
  });

  it("SAELens' older configuration", () => {
    written('old/sae_weights.safetensors', saelens);
    written('old/cfg.json', JSON.stringify(cfg));
    expect(openDictionary(join(root, 'old'))).toMatchObject({
      place: 'blocks.1.hook_resid_pre',
      activation: { kind: 'relu' },
      input: { subtract: 'b_dec' },
    });
  });
});

describe('a dictionary that is refused', () => {
  const { spec } = randomModel(tinyConfigs.llama);
  const open = (name: string) =>
    latentKind.open(parseUnit(name) as never, { spec, measure: 'delta', tokenId: () => null });

  function complaint(body: () => unknown): string {
    try {
      body();
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as UserError).message;
    }
    throw new Error('nothing was thrown');
  }

  const folder = (name: string, change: object, arrays: Record<string, TestArray> = saelens) => {
    written(`${name}/sae_weights.safetensors`, arrays);
    written(`${name}/cfg.json`, JSON.stringify({ ...cfg, ...change }));
    return join(root, name);
  };

  /** An encoder `[width, size]` without one number of a latent. */
  const nanAt = (latent: number) =>
    new Float32Array(width * size).map((_, i) => (i === latent ? Number.NaN : 1));

  it.each([
    [
      'of another width',
      () => folder('width', { model_name: 'gpt2' }, { ...saelens, W_enc: array(7, size), b_dec: array(7) }),
      /reads 7 numbers .* has 12; it says that it belongs to gpt2/,
    ],
    [
      'of a layer that is not there',
      () => folder('layer', { hook_point: 'blocks.9.hook_resid_pre' }),
      /"blocks.9.hook_resid_pre", which this model of 3 layers does not have/,
    ],
    [
      'of an unknown place',
      () => folder('place', { hook_point: 'somewhere' }),
      /"somewhere", which is no known place: name it, as in sae:/,
    ],
    [
      'of an unknown architecture',
      () => folder('kind', { architecture: 'temporal' }),
      /"temporal", which is not read/,
    ],
    [
      'with an array of another length',
      () => folder('bias', {}, { ...saelens, b_enc: array(3) }),
      /"b_enc" .* \[3\]; .* it is \[20\]/,
    ],
    [
      'without a place',
      () => written('params.npz', npzFile({ ...saelens, threshold: array(size) })),
      /does not say what it reads: name the place/,
    ],
    [
      'of no known format',
      () => written('unknown/x.safetensors', { x: array(2) }),
      /no dictionary of a known format: it has x/,
    ],
    [
      'that would execute code',
      () => written('evil.pt', torchFile({}, { x: pickledCall('os', 'system', 'true') })),
      /would call os\.system/,
    ],
    ['a .pt that is cut short', () => written('cut.pt', torchFile(saelens).subarray(0, 2000)), /cut short/],
    ['that is cut short', () => written('cut.npz', npzFile(saelens).subarray(0, 900)), /cut short/],
    ['that is not there', () => join(root, 'nothing'), /there is no such file/],
    [
      'that holds NaN where the latent is read',
      () => folder('nan', {}, { ...saelens, W_enc: { shape: [width, size], data: nanAt(3) } }),
      /^"W_enc" in .*nan.sae_weights.safetensors holds NaN or infinity/,
    ],
  ])('%s', (_, path, message) => {
    const read = () => {
      const { weights } = open(`sae:${path()}#3`).group;
      for (const name of weights!.names) weights!.read(name);
    };
    expect(complaint(read)).toMatch(message);
  });

  it('for a latent that it lacks', () => {
    expect(complaint(() => open(`sae:${folder('index', {})}#20`))).toMatch(/numbered 0 to 19/);
  });
});
