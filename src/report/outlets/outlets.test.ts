/** Files for other programs, by the schemas that these publish. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { explained, scored, writeRun } from '../../../test/helpers/example-runs.js';
import { UserError } from '../../core/errors.js';
import type { EventBody } from '../../runs/events.js';
import { createRunFolder } from '../../runs/run-folder.js';
import { writeOutlet } from './write-outlet.js';

const place = mkdtempSync(join(tmpdir(), 'outlets-'));
afterAll(() => rmSync(place, { recursive: true }));

/** `uploadBatchSchema` of apps/webapp/app/api/feature/upload-batch in github.com/hijohnnylin/neuronpedia. */
const logits = z
  .array(z.strictObject({ token: z.string().min(1), value: z.number() }))
  .max(20)
  .nullish();
const uploadBatch = z.strictObject({
  modelId: z.string().min(1).lowercase(),
  source: z.string().min(1).lowercase(),
  features: z
    .array(
      z.strictObject({
        index: z.int().min(0).max(10_000_000),
        density: z.number().min(0).max(1).optional(),
        topLogits: logits,
        bottomLogits: logits,
        activations: z
          .array(
            z
              .strictObject({
                tokens: z.array(z.string().min(1)).min(1).max(1024),
                values: z.array(z.number()).min(1).max(1024),
              })
              .refine(({ tokens, values }) => tokens.length === values.length),
          )
          .min(1),
      }),
    )
    .min(1)
    .max(128)
    .refine((features) => new Set(features.map(({ index }) => index)).size === features.length),
});

/** `Model` of circuit_tracer/frontend/feature_models.py in github.com/decoderesearch/circuit-tracer. */
const feature = z.strictObject({
  transcoder_id: z.string(),
  index: z.int(),
  examples_quantiles: z.array(
    z.strictObject({
      quantile_name: z.string(),
      examples: z.array(
        z.strictObject({
          tokens_acts_list: z.array(z.number()),
          train_token_ind: z.int(),
          is_repeated_datapoint: z.boolean(),
          tokens: z.array(z.string()),
        }),
      ),
    }),
  ),
  top_logits: z.array(z.string()),
  bottom_logits: z.array(z.string()),
  act_min: z.number(),
  act_max: z.number(),
  quantile_values: z.array(z.number()),
  histogram: z.array(z.number()),
  activation_frequency: z.number(),
});

function run(unit: string, ...texts: string[]): string {
  const bodies = texts.map(
    (text): EventBody => ({ kind: 'explained', explanation: explained(scored(text, 2, 3), unit) }),
  );
  return writeRun(place, 'text', unit, [{ kind: 'started', task: 'text', unit, method: null }, ...bodies]);
}
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const id = 'gemma-2-2b/20-gemmascope-res-16k';

describe('neuronpedia', () => {
  it('runs of one unit are one feature of a batch, strongest text first', () => {
    const runs = [run(`${id}/7`, 'one two'), run(`${id}/7`, 'one two three'), run(`${id}/9`, 'four')];
    const [file] = writeOutlet('neuronpedia', runs, {});
    expect(file).toBe(join(place, 'neuronpedia.json'));
    const { modelId, source, features } = uploadBatch.parse(read(file!));
    expect([modelId, source]).toEqual(['gemma-2-2b', '20-gemmascope-res-16k']);
    expect(features.map(({ index, activations }) => [index, activations.length])).toEqual([
      [7, 2],
      [9, 1],
    ]);
    expect(features[0]!.activations[0]).toEqual({
      tokens: ['<s>', 'one', ' two', ' three'],
      values: [0, 1, 2, 3],
    });
  });

  it('latents of the dictionary that comes with a model have its name and layer', () => {
    const [file] = writeOutlet('neuronpedia', [run('sae:books-lm#17', 'a b')], {});
    expect(uploadBatch.parse(read(file!))).toMatchObject({ modelId: 'books-lm', source: '2-sae' });
  });

  it('another unit is named by --source; an empty token is made visible', () => {
    const path = writeRun(place, 'text', 'L2.H3', [
      {
        kind: 'explained',
        explanation: { ...explained(scored('a b', 2, 3), 'L2.H3'), tokens: ['<s>', '', 'b'] },
      },
    ]);
    const [file] = writeOutlet('neuronpedia', [path], { source: 'GPT2-small/2-heads' });
    const batch = uploadBatch.parse(read(file!));
    expect(batch).toMatchObject({ modelId: 'gpt2-small', source: '2-heads', features: [{ index: 3 }] });
    expect(batch.features[0]!.topLogits).toEqual([{ token: ' yes', value: 2 }]);
    expect(batch.features[0]!.activations[0]!.tokens[1]).toBe('\uFFFD');
  });
});

describe('circuit-tracer', () => {
  it("a unit is a file by the number of the viewer's graphs, its texts a quantile", () => {
    const [file] = writeOutlet('circuit-tracer', [run(`${id}/7`, 'one two')], {});
    // As `cantor_pairing(20, 7)` of graph_models.py.
    expect(basename(file!)).toBe('385.json');
    const { examples_quantiles, index, act_max } = feature.parse(read(file!));
    expect(examples_quantiles).toEqual([
      {
        quantile_name: 'superstimulus',
        examples: [
          {
            tokens: ['<s>', 'one', ' two'],
            tokens_acts_list: [0, 1, 2],
            train_token_ind: 2,
            is_repeated_datapoint: false,
          },
        ],
      },
    ]);
    expect([index, act_max]).toEqual([7, 2]);
  });
});

it.each([
  ['neuronpedia', 'L2.H3', undefined, ['a'], /what it is called on Neuronpedia: give --source/],
  ['neuronpedia', 'L2.H3', 'gpt2', ['a'], /"gpt2" is no source/],
  ['neuronpedia', `${id}/1`, undefined, [], /no texts with values token by token/],
  ['neuronpedia', 'logit: a', 'm/2-set', ['a'], /no single latent, head or neuron/],
  ['neuronpedia', '-L2.H3', 'm/2-set', ['a'], /no single latent, head or neuron/],
  ['circuit-tracer', 'sae:some/where#3', undefined, ['a'], /what layer it is of: give --source/],
] as const)('%s of %s, --source %s, texts %s, is refused', (format, unit, source, texts, message) => {
  const write = () => writeOutlet(format, [run(unit, ...texts)], { source });
  expect(write).toThrow(UserError);
  expect(write).toThrow(message);
});

/** What HeadVis' front end reads: `data_pipeline.py` of github.com/anthropics/headvis, by its docstrings. */
const bins = z
  .strictObject({ bin_edges: z.array(z.number()), bin_values: z.array(z.number()) })
  .refine(({ bin_edges, bin_values }) => bin_edges.length === bin_values.length + 1);
const weights = z.array(z.strictObject({ token: z.string(), weight: z.number() })).max(50);
const headFile = z.strictObject({
  sequences: z.array(
    z
      .strictObject({
        sequence_id: z.int(),
        interval: z.int().min(1).max(5),
        tokens: z.array(z.string()),
        attention_indices: z.array(z.int()),
        attention_values: z.array(z.number().min(0).max(1)),
        seq_len: z.int(),
        max_activation: z.number(),
      })
      .refine(({ tokens, seq_len }) => tokens.length === seq_len)
      .refine(({ attention_indices: i, attention_values: v }) => i.length === v.length),
  ),
  qk_distance_histogram: bins,
  top_query_tokens: weights,
  top_key_tokens: weights,
  statistics: z.strictObject({ n_samples: z.int(), mean_max_activation: z.number().nullable() }),
});

describe('headvis', () => {
  const atlas = (units: readonly object[]) => {
    const folder = createRunFolder(place, {
      job: { task: 'atlas', units: ['L*.H*'] },
      command: [],
      versions: {},
      model: { name: 'books-lm', hash: '' },
    });
    folder.writeFile('atlas/000000.jsonl', units.map((unit) => `${JSON.stringify(unit)}\n`).join(''));
    folder.close();
    return folder.path;
  };
  const unit = {
    unit: 'L1.H2',
    layer: 1,
    index: 2,
    hypervolume: 1,
    mean: 0,
    standard_deviation: 1,
    frontier: [
      { text: 'ab', tokens: ['a', 'b'], cross_entropy: 2, z: 5, margin: 1, rank: 1, source: 'prior' },
    ],
    explanations: [
      {
        ...explained(scored('ab', 2, 5), 'L1.H2'),
        tokens: ['<s>', 'a', 'b'],
        peak: { position: 2, raw: 1, z: 5 },
        attention: { weight: [0.2, 0.5, 0.3], contribution: [0, 1, 2] },
      },
    ],
    clusters: [],
    examples: [],
    head: {
      self: 0.2,
      previous: 0.3,
      start: 0.1,
      induction: 0.05,
      entropy: 1,
      most_entropy: 3,
      distance: [0.25, 0.5, 0.25],
    },
  };

  it('writes the tree: heads, their metrics, the row of attention at each peak', () => {
    const run = atlas([unit, { ...unit, unit: 'L1.N0', index: 0, head: null }]);
    const files = writeOutlet('headvis', [run], {});
    const read = (name: string): unknown => JSON.parse(readFileSync(join(run, 'headvis/data', name), 'utf8'));
    expect(files).toHaveLength(5);
    const head = headFile.parse(read('heads/L1H2.json'));
    expect(head.sequences).toEqual([
      {
        sequence_id: 0,
        interval: 5,
        tokens: ['<s>', 'a', 'b'],
        seq_len: 3,
        attention_indices: [6, 7, 8],
        attention_values: [0.2, 0.5, 0.3],
        max_activation: 0.5,
      },
    ]);
    expect(head.qk_distance_histogram.bin_values).toEqual([0.25, 0.5, 0.25, 0, 0]);
    expect(head.top_key_tokens[0]).toEqual({ token: 'a', weight: 0.5 });
    expect(read('scatter_data.json')).toEqual([
      {
        layer: 1,
        head: 2,
        self_attention_score: 0.2,
        previous_token_score: 0.3,
        pattern_entropy: 1,
        qk_distance: 1,
        qk_distance_variance: 0.5,
        induction_score: 0.05,
        best_z: 5,
      },
    ]);
    expect(read('config.json')).toMatchObject({ heads: [[1, 2]], n_layers: 2, n_heads: 3 });
  });

  it('says what it has no place for', () => {
    const neurons = atlas([{ ...unit, head: null }]);
    expect(() => writeOutlet('headvis', [neurons], {})).toThrow(/attention heads, and the atlas has none/);
    expect(() => writeOutlet('headvis', [neurons, neurons], {})).toThrow(/one atlas, and there are 2 runs/);
    const search = writeRun(place, 'text', 'L0.H0', []);
    expect(() => writeOutlet('headvis', [search], {})).toThrow(/has no units of an atlas: it is another run/);
  });
});
