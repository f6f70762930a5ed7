/**
 * @file Latents of dictionaries in the files of their formats: small ones of this repository, by the published formulas, and
 * those of ../shared, where it is there, mostly by the authors' own libraries.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { extendWeights } from '../../src/engine/weights/extend.js';
import { openSafetensors } from '../../src/engine/weights/safetensors.js';
import { finishRun } from '../../src/runs/events.js';
import { readConfig } from '../../src/text/lm/config.js';
import { loadTextModel, openTextWeights } from '../../src/text/lm/model.js';
import { forward } from '../../src/text/lm/transformer.js';
import type { LatentUnit } from '../../src/text/readouts/latent.js';
import { latentKind } from '../../src/text/readouts/latent.js';
import { scoreText } from '../../src/text/score.js';
import { relativeError } from '../helpers/compare.js';
import { runOn } from '../helpers/engines.js';
import { shared } from '../helpers/shared.js';

const TOLERANCE = 1e-4;
const committed = fileURLToPath(new URL('../fixtures/', import.meta.url));
const beside = shared('fixtures');
const scratch = mkdtempSync(join(tmpdir(), 'dictionaries-'));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Fixture {
  readonly name: string;
  readonly folder: string;
  readonly model: string;
  /** Why its model is not read, or null. */
  readonly refused: string | null;
}

function fixturesIn(fixtures: string, title: string): Fixture[] {
  const path = join(fixtures, 'dictionaries');
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('expected.safetensors'))
    .sort()
    .map((file) => {
      const model = join(fixtures, 'transformers', file.split('/')[0]!);
      return {
        name: `${title}${dirname(file)}`,
        folder: join(path, dirname(file)),
        model,
        refused: refusal(model),
      };
    });
}

function refusal(model: string): string | null {
  try {
    readConfig(model);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

const all = [...fixturesIn(committed, ''), ...(beside.missing ? [] : fixturesIn(beside.path, '../shared: '))];
const context = { measure: 'delta', tokenId: () => null } as const;
const unitOf = (folder: string, index = 0): LatentUnit => ({
  kind: 'latent',
  path: folder,
  place: null,
  index,
});

test.each(all.filter(({ refused }) => refused !== null))('$name is skipped: $refused', () => {});

describe.each(all.filter(({ refused }) => refused === null))('$name', ({ folder, model }) => {
  const { spec, weights } = openTextWeights(model);
  const expected = openSafetensors(join(folder, 'expected.safetensors'));
  const inputs = openSafetensors(join(model, 'expected.safetensors'));
  const shape = inputs.shape('input_ids');
  const data = inputs.readArray('input_ids') as Int32Array;

  test.each(['cpu', 'onnx'] as const)('all latents at once, on %s', async (engine) => {
    const { group } = latentKind.open(unitOf(folder), { ...context, spec });
    const every = group.siblings!.inLayer(group.siblings!.layer)!.raw!;
    const { latents } = await runOn(
      engine,
      ({ ids }, lookup) => ({
        latents: every.read({ spec, weights: lookup, pass: forward(spec, lookup, { ids: ids! }) }),
      }),
      { ids: { shape, data } },
      extendWeights(weights, [every.weights!]),
    );
    expect(relativeError(latents!.data, expected.read('latents'))).toBeLessThan(TOLERANCE);
  });
});

const byModel = new Map<string, Fixture[]>();
for (const fixture of all.filter(({ refused }) => refused === null))
  byModel.set(fixture.model, [...(byModel.get(fixture.model) ?? []), fixture]);

test.each([...byModel])(
  'the strongest latent of each dictionary of %s, through scoreText',
  async (model, dictionaries) => {
    const inputs = openSafetensors(join(model, 'expected.safetensors'));
    const [batch, positions] = inputs.shape('input_ids') as [number, number];
    const row = batch - 1;
    const ids = inputs.readArray('input_ids').slice(row * positions, (row + 1) * positions);
    const copy = mkdtempSync(join(scratch, 'model-'));
    cpSync(model, copy, { recursive: true, dereference: true });
    writeTokenizer(copy, openTextWeights(model).spec.vocab, ids[0]!);
    const strongest = dictionaries.map(({ folder }) => {
      const expected = openSafetensors(join(folder, 'expected.safetensors'));
      const size = expected.shape('latents')[2]!;
      const values = expected.read('latents').subarray(row * positions * size, (row + 1) * positions * size);
      const index = values.indexOf(Math.max(...values)) % size;
      return { unit: `sae:${folder}#${index}`, values: values.filter((_, i) => i % size === index) };
    });
    const run = scoreText({
      model: await loadTextModel(copy),
      engine: 'onnx',
      measure: 'delta',
      at: 'max',
      reference: 'random:5',
      seed: 1,
      text: Array.from(ids.subarray(1), (id) => ` t${id}`).join(''),
      units: strongest.map(({ unit }) => unit),
    });
    const scored = await finishRun(run);
    expect(scored.token_ids).toEqual([...ids]);
    for (const [i, { raw, margin }] of scored.units.entries()) {
      expect(relativeError(raw, strongest[i]!.values)).toBeLessThan(TOLERANCE);
      expect(margin).not.toBeNull();
    }
  },
);

/** Words ` t0`, ` t1` …: every sequence of ids is a text. */
function writeTokenizer(folder: string, vocab: number, bos: number): void {
  const words = Array.from({ length: vocab }, (_, id) => [`▁t${id}`, 0]);
  const tokenizer = {
    version: '1.0',
    added_tokens: [{ id: bos, content: `▁t${bos}`, special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
    model: { type: 'Unigram', unk_id: bos, vocab: words },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: `▁t${bos}` }));
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, bos_token_id: bos }));
}
