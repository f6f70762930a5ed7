/** What is said of a model, without reading its weights. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { formatUnits } from '../../src/cli/results/units.js';
import { listTextUnits } from '../../src/text/readouts/list-units.js';
import { byteLevel, chatMl, tinyModel, wordLevel } from '../helpers/tiny-tokenizers.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-about-'));
afterAll(() => rmSync(root, { recursive: true }));

it('says sizes, positions, BOS and chat template of a model', async () => {
  const config = { model_type: 'mistral', sliding_window: 8, rope_theta: 500, tie_word_embeddings: true };
  const tokenizerConfig = { bos_token: '<|endoftext|>', chat_template: chatMl.template };
  const about = await listTextUnits(tinyModel(root, byteLevel(chatMl.special), tokenizerConfig, config));
  const vocabulary = 256 + 5 + 3;
  const layer = 2 * 12 * 24 + 2 * 12 * 12 + 3 * 12 * 10 + 2 * 12;
  const parameters = vocabulary * 12 + 2 * layer + 12;
  expect(about).toMatchObject({
    family: 'mistral',
    sizes: {
      layers: 2,
      heads: 4,
      key_value_heads: 2,
      d_model: 12,
      d_head: 6,
      d_mlp: 10,
      vocabulary,
      parameters,
    },
    positions: { kind: 'rotary', context: 40, rotary: [{ theta: 500, dims: 6, scaling: null, layers: 2 }] },
    windows: [{ tokens: 8, layers: 2 }],
    bos: { token: '<|endoftext|>', token_id: 261, why: 'the tokenizer names it BOS' },
    chat_template: true,
    experts: null,
    unsupported: [],
  });
  expect(about.sizes.bytes).toBe(4 * parameters);
  const printed = formatUnits({ model: 'm', ...about });
  for (const words of ['2 of keys and values', '8 tokens', '"<|endoftext|>" (261)', 'rotary (base 500'])
    expect(printed).toContain(words);
});

it.each([
  [{}, { eos_token_id: 1 }, { token: '1', why: expect.stringContaining('it ends texts') }, []],
  [{}, { bos_token_id: 0 }, { token: '0', why: 'config.json names it BOS' }, []],
  [{}, {}, null, [/^texts without a prefix: the model names neither/]],
])('says why a text starts as it does: %o, %o', async (tokenizerConfig, config, bos, unsupported) => {
  const about = await listTextUnits(tinyModel(root, wordLevel(['0', '1']), tokenizerConfig, config));
  if (bos === null) expect(about.bos).toBeNull();
  else expect(about.bos).toMatchObject(bos);
  expect(about.unsupported).toEqual(unsupported.map((words) => expect.stringMatching(words)));
});

it('says what is missing, and reads headers alone', async () => {
  const folder = tinyModel(root, wordLevel(['0', '1']));
  rmSync(join(folder, 'tokenizer.json'));
  const { unsupported, bos } = await listTextUnits(folder);
  expect([bos, unsupported]).toEqual([null, [expect.stringMatching(/^texts: .* has no tokenizer.json/)]]);
  truncateSync(join(folder, 'config.json'), 10);
  await expect(listTextUnits(folder)).rejects.toThrow('is not valid JSON');
});

it('counts experts, and layers that have them', async () => {
  const about = await listTextUnits(
    tinyModel(
      root,
      wordLevel(['0', '1']),
      {},
      { model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2 },
    ),
  );
  expect(about.experts).toEqual({ count: 4, chosen: 2, neurons: 10, layers: 2 });
  expect(about.unsupported.at(-1)).toContain('neurons are L0.E0.N0');
  expect(formatUnits({ model: 'm', ...about })).toMatch(/experts +2 of 4, 10 neurons each/);
});
