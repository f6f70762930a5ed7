/**
 * The trained model books-lm at the cost of a model of SmolLM2-135M's width and depth: it computes the same, among zeros. For
 * comparing searches at equal time where words mean something. Never committed.
 *
 *   npx tsx tools/widen-model.ts DIR      (its layers become 0, 10, 20 and 29)
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/random.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import { openSafetensors, writeSafetensors } from '../src/engine/weights/safetensors.js';

const FROM = 'models/books-lm';
const LAYERS = [0, 10, 20, 29];
/** The head's dimensions stay, and with them the angles of rotary positions. */
const WIDE = {
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 24,
  num_key_value_heads: 24,
};

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: widen-model.ts DIR');
  process.exit(2);
}
const config = JSON.parse(readFileSync(join(FROM, 'config.json'), 'utf8'));
/** A norm's mean over more entries, all of them zero, is so much smaller. */
const share = config.hidden_size / WIDE.hidden_size;
const arrays = openSafetensors(join(FROM, 'model.safetensors'));

/** The array in the first rows and columns of a larger one. */
function placed(name: string, shape: readonly number[], factor = 1, rest = 0): Float32Array {
  const small = arrays.read(name);
  const width = arrays.shape(name).at(-1)!;
  const wide = new Float32Array(sizeOf(shape)).fill(rest);
  for (let row = 0; row * width < small.length; row++)
    for (let column = 0; column < width; column++)
      wide[row * shape.at(-1)! + column] = factor * small[row * width + column]!;
  return wide;
}

const { hidden_size: dModel, intermediate_size: dMlp } = WIDE;
const norm = (name: string) => placed(name, [dModel], Math.sqrt(share), 1);
const matrices = {
  'self_attn.q_proj': [dModel, dModel],
  'self_attn.k_proj': [dModel, dModel],
  'self_attn.v_proj': [dModel, dModel],
  'self_attn.o_proj': [dModel, dModel],
  'mlp.gate_proj': [dMlp, dModel],
  'mlp.up_proj': [dMlp, dModel],
  'mlp.down_proj': [dModel, dMlp],
} as const;
/** What an added layer has, so that its products cost what others do; it writes nothing. */
const some = new Random(0).normals(2 ** 20).map((x) => 0.02 * x);
const filled = (name: string, shape: readonly number[]) =>
  name.endsWith('o_proj') || name.endsWith('down_proj')
    ? new Float32Array(sizeOf(shape))
    : some.slice(0, sizeOf(shape));

function* all(): Generator<[string, { shape: readonly number[]; data: Float32Array }]> {
  const embedding = [config.vocab_size as number, dModel];
  yield [
    'model.embed_tokens.weight',
    { shape: embedding, data: placed('model.embed_tokens.weight', embedding) },
  ];
  yield ['model.norm.weight', { shape: [dModel], data: norm('model.norm.weight') }];
  for (let layer = 0; layer < WIDE.num_hidden_layers; layer++) {
    const from = LAYERS.indexOf(layer);
    for (const name of ['input_layernorm', 'post_attention_layernorm'])
      yield [
        `model.layers.${layer}.${name}.weight`,
        {
          shape: [dModel],
          data: from === -1 ? new Float32Array(dModel).fill(1) : norm(`model.layers.${from}.${name}.weight`),
        },
      ];
    for (const [name, shape] of Object.entries(matrices))
      yield [
        `model.layers.${layer}.${name}.weight`,
        {
          shape,
          data: from === -1 ? filled(name, shape) : placed(`model.layers.${from}.${name}.weight`, shape),
        },
      ];
  }
}

mkdirSync(folder, { recursive: true });
for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
  copyFileSync(join(FROM, name), join(folder, name));
const wide = { ...config, ...WIDE, rms_norm_eps: config.rms_norm_eps * share };
writeFileSync(join(folder, 'config.json'), JSON.stringify(wide));
writeSafetensors(join(folder, 'model.safetensors'), all());
