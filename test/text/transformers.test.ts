/** @file Transformers of every family against PyTorch, on every engine. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, type Engine } from '../../src/engine/compile.js';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { openSafetensors, type Safetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightLookup, WeightSource } from '../../src/engine/weights/weights.js';
import { forLength } from '../../src/text/lm/by-length.js';
import { readConfig } from '../../src/text/lm/config.js';
import { embedTokens } from '../../src/text/lm/embed.js';
import { matchWeights } from '../../src/text/lm/match-weights.js';
import { bodyModule } from '../../src/text/lm/parameters.js';
import type { Place } from '../../src/text/lm/places.js';
import type { KeyValueCache } from '../../src/text/lm/reading.js';
import type { TransformerSpec } from '../../src/text/lm/spec.js';
import { forward, type Pass, sequenceLogProbs, step } from '../../src/text/lm/transformer.js';
import { relativeError } from '../helpers/compare.js';
import { engines, type Input, runOn } from '../helpers/engines.js';
import { padCache } from '../helpers/pad-cache.js';
import { fixtureSources } from '../helpers/transformer-fixtures.js';
import { webgpu } from '../helpers/webgpu.js';

/** Families whose operations have gradients of every kind: biases and a tied table, ALiBi, soft caps, sinks, experts. */
const gradientsOnGpu = ['gpt2', 'bloom', 'gemma2', 'gpt_oss', 'qwen3_moe'];

/** A GPU may sum in another order. */
const toleranceOf = (engine: Engine) => (engine === 'onnx:webgpu' ? 1e-3 : 1e-4);

interface Fixture {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  readonly expected: Safetensors;
  readonly ids: Input & { data: Int32Array };
}

function open(folder: string): Fixture {
  const expected = openSafetensors(join(folder, 'expected.safetensors'));
  const matched = matchWeights(
    readConfig(folder),
    openSafetensors(join(folder, 'model.safetensors')),
    folder,
  );
  const [, pos] = expected.shape('input_ids') as [number, number];
  return {
    ...matched,
    spec: withEagerAlibi(forLength(matched.spec, pos)),
    expected,
    ids: { shape: expected.shape('input_ids'), data: expected.readArray('input_ids') as Int32Array },
  };
}

/**
 * Falcon's eager attention in transformers, which the fixtures come from, adds ALiBi twice, to the mask and to the scores;
 * the attention that it uses otherwise adds it once, as we do.
 */
function withEagerAlibi(spec: TransformerSpec): TransformerSpec {
  const { family, positions } = spec;
  if (family !== 'falcon' || positions.kind !== 'alibi') return spec;
  return { ...spec, positions: { ...positions, scale: 2 * positions.scale } };
}

/** The scalar whose gradient the reference holds under a name: `grad.head.L.H`, `grad.neuron.L.N`, `grad.xent_…`. */
function objective(name: string, run: Pass, logProbs: () => tf.Tensor): tf.Scalar {
  const [, kind, layer, index] = /^grad\.(head|neuron)\.(\d+)\.(\d+)$/.exec(name) ?? [];
  if (!kind) return tf.neg(tf.mean(logProbs()));
  const unit = run.at(`blocks.${Number(layer)}.${kind === 'head' ? 'attn.hook_result' : 'mlp.hook_post'}`);
  const [batch, pos, , dModel] = unit.shape as [number, number, number, number?];
  return kind === 'head'
    ? tf.sum(tf.norm(tf.slice(unit, [0, pos - 1, Number(index), 0], [batch, 1, 1, dModel!]), 'euclidean', -1))
    : tf.sum(tf.slice(unit, [0, pos - 1, Number(index)], [batch, 1, 1]));
}

describe.each(fixtureSources)('%s', (title, fixtures, missing) => {
  const isLarger = title !== 'fixtures of this repository';
  // Larger fixtures are the same families: on the engine that searches use.
  const devices = isLarger ? engines.filter(({ engine }) => engine !== 'cpu') : [...engines, webgpu];

  test.skipIf(missing)('has networks that are read', () => {
    expect(fixtures.length).toBeGreaterThan(0);
  });

  describe.skipIf(missing).each(devices)('on $engine', ({ engine, skipped }) => {
    const TOLERANCE = toleranceOf(engine);
    // A software GPU compiles kernels slowly: it has every family once. Caches are tested in webgpu.test.ts.
    const isSlow = engine === 'onnx:webgpu';

    const own = isSlow ? fixtures.filter(({ name }) => !name.includes('-')) : fixtures;

    describe.each(own)('$name', ({ name, folder }) => {
      test.skipIf(skipped !== null)(
        `every place and log-probability${skipped ? ` (${skipped})` : ''}`,
        async () => {
          const { spec, weights, expected, ids } = open(folder);
          const places = expected.names.filter((name) => /^(blocks|logits)/.test(name)) as Place[];
          expect(places.length).toBeGreaterThanOrEqual(1 + 4 * spec.layers);
          const fn: TensorFunction = ({ ids }, weights) => {
            const run = forward(spec, weights, { ids: ids! });
            return {
              ...Object.fromEntries(places.map((place) => [place, run.at(place)])),
              token_logprobs: sequenceLogProbs(spec, weights, run, ids!),
            };
          };
          const outputs = await runOn(engine, fn, { ids }, weights);
          for (const [name, { shape, data }] of Object.entries(outputs)) {
            expect(shape, name).toEqual(expected.shape(name));
            expect(relativeError(data, expected.read(name)), name).toBeLessThan(TOLERANCE);
          }
        },
      );

      test.skipIf(skipped !== null || (isSlow && !gradientsOnGpu.includes(name)))(
        'gradients with respect to token embeddings',
        async () => {
          const { spec, weights, expected, ids } = open(folder);
          const names = expected.names.filter((name) => name.startsWith('grad.'));
          // A layer of experts has no neurons.
          expect(names.length).toBeGreaterThanOrEqual(2);
          const fn: TensorFunction = ({ ids }, weights) => {
            const embeddings = embedTokens(spec, weights, ids!);
            const gradients = names.map((name) => {
              const value = (embeddings: tf.Tensor) => {
                const run = forward(spec, weights, { embeddings });
                return objective(name, run, () => sequenceLogProbs(spec, weights, run, ids!));
              };
              return [name, tf.grad(value)(embeddings)] as const;
            });
            return Object.fromEntries(gradients);
          };
          const outputs = await runOn(engine, fn, { ids }, weights);
          // Gemma's embeddings are scaled before PyTorch's gradient is taken, ours after.
          const scale = spec.family.startsWith('gemma') ? spec.embeddingScale : 1;
          const inwards = openSafetensors(join(folder, 'model.safetensors'));
          for (const name of names) {
            const gradient = outputs[name]!.data.map((value) => value / scale);
            const reference = beforeProjection(gradient, inwards);
            expect(relativeError(reference, expected.read(name)), name).toBeLessThan(TOLERANCE);
          }
        },
      );

      test.skipIf(skipped !== null || isSlow)(
        'reading token by token from a cache, each row at its own position',
        async () => {
          const { spec, weights, expected, ids } = open(folder);
          const [batch, pos] = ids.shape as [number, number];
          const places: Place[] = [
            'logits',
            `blocks.${spec.layers - 1}.attn.hook_result`,
            spec.experts?.layers.at(-1)
              ? `blocks.${spec.layers - 1}.hook_resid_pre`
              : `blocks.${spec.layers - 1}.mlp.hook_post`,
          ];
          // Both rows are read to position 3; then row 0 continues there and row 1 reads from position 1 again.
          const starts = [4, 1];
          const capacity = pos + 2;
          const prefix = (length: number) =>
            Int32Array.from({ length: batch * length }, (_, i) => {
              const row = Math.floor(i / length);
              return ids.data[row * pos + (i % length)]!;
            });
          let cache = await runOn(
            engine,
            ({ ids }, weights) => flatten(padCache(forward(spec, weights, { ids: ids! }).cache(), capacity)),
            { ids: { shape: [batch, 4], data: prefix(4) } },
            weights,
          );

          const shapes = Object.entries(cache).map(([name, { shape }]) => [name, { shape }] as const);
          const reader = await compile(
            ({ ids, positions, ...cache }, weights) => {
              const run = step(spec, weights, { ids: ids!, positions: positions!, cache: unflatten(cache) });
              return {
                ...Object.fromEntries(places.map((place) => [place, run.at(place)])),
                ...flatten(run.cache()),
              };
            },
            {
              inputs: {
                ids: { shape: [batch], dtype: 'int32' },
                positions: { shape: [batch], dtype: 'int32' },
                ...Object.fromEntries(shapes),
              },
              weights,
              engine,
            },
          );
          try {
            for (let count = 0; count < pos - 1; count++) {
              // A row at its end reads its last token again.
              const positions = starts.map((start) => Math.min(start + count, pos - 1));
              const outputs = await reader.run({
                ids: positions.map((position, row) => ids.data[row * pos + position]!),
                positions,
                ...Object.fromEntries(Object.entries(cache).map(([name, { data }]) => [name, data])),
              });
              for (const place of places) {
                const reference = atPositions(expected, place, positions);
                expect(relativeError(outputs[place]!, reference), `${place} at ${positions}`).toBeLessThan(
                  TOLERANCE,
                );
              }
              cache = Object.fromEntries(
                shapes.map(([name, { shape }]) => [name, { shape, data: outputs[name]! }]),
              );
            }
          } finally {
            reader.dispose();
          }
        },
      );

      test.skipIf(skipped !== null || isSlow || isLarger)(
        'gradients through a cache are those of the whole sequence',
        async () => {
          const { spec, weights, ids } = open(folder);
          const [batch, pos] = ids.shape as [number, number];
          const table = `${bodyModule(spec, 'tokenEmbedding')}.weight`;
          const ends = [pos - 1, 3];
          const fn: TensorFunction = ({ ids }, weights) => {
            /** The gradient, with respect to the embedding table, of one logit a row, where the row ends. */
            const gradient = (logits: (weights: WeightLookup) => tf.Tensor[]) =>
              tf.grad((own) => {
                const lookup: WeightLookup = (name) => (name === table ? own : weights(name));
                return tf.addN(
                  logits(lookup).map((row) => tf.sum(tf.slice(row, [0, 0, 7], [1, 1, 1]))),
                ) as tf.Scalar;
              })(weights(table));
            return {
              whole: gradient((weights) => {
                const logits = forward(spec, weights, { ids: ids! }).at('logits');
                return ends.map((end, row) => tf.slice(logits, [row, end, 0], [1, 1, spec.vocab]));
              }),
              cached: gradient((weights) => {
                const before = forward(spec, weights, { ids: tf.slice(ids!, [0, 0], [batch, pos - 1]) });
                const tokens = ends.map((end, row) => tf.slice(ids!, [row, end], [1, 1]));
                const logits = step(spec, weights, {
                  ids: tf.reshape(tf.concat(tokens, 0), [batch]),
                  positions: tf.tensor(ends, [batch], 'int32'),
                  cache: padCache(before.cache(), pos),
                }).at('logits');
                return ends.map((_, row) => tf.slice(logits, [row, 0, 0], [1, 1, spec.vocab]));
              }),
            };
          };
          const { whole, cached } = await runOn(engine, fn, { ids }, weights);
          expect(Math.max(...(whole!.data as Float32Array))).toBeGreaterThan(0);
          expect(relativeError(cached!.data, whole!.data)).toBeLessThan(TOLERANCE);
        },
      );
    });
  });
});

/** OPT's narrow embeddings are widened when they are read, in PyTorch after they are looked up: the gradient there. */
function beforeProjection(gradient: ArrayLike<number>, file: Safetensors): number[] {
  const name = 'model.decoder.project_in.weight';
  if (!file.has(name)) return Array.from(gradient);
  const [dModel, narrow] = file.shape(name) as [number, number];
  const matrix = file.read(name);
  return Array.from({ length: (gradient.length / dModel) * narrow }, (_, i) => {
    const [row, column] = [Math.floor(i / narrow), i % narrow];
    let sum = 0;
    for (let j = 0; j < dModel; j++) sum += gradient[row * dModel + j]! * matrix[j * narrow + column]!;
    return sum;
  });
}

/** A cache as named outputs, and back. */
function flatten({ keys, values }: KeyValueCache): Record<string, tf.Tensor> {
  const named = (list: readonly tf.Tensor[], name: string) => list.map((x, layer) => [`${name}${layer}`, x]);
  return Object.fromEntries([...named(keys, 'key'), ...named(values, 'value')]);
}

function unflatten(named: Record<string, tf.Tensor>): KeyValueCache {
  const list = (name: string) =>
    Object.keys(named)
      .filter((key) => key.startsWith(name))
      .map((_, layer) => named[`${name}${layer}`]!);
  return { keys: list('key'), values: list('value') };
}

/** The entries of each row of a reference `[batch, pos, ...]` at that row's position. */
function atPositions(expected: Safetensors, place: string, positions: readonly number[]): Float32Array {
  const [, pos, ...rest] = expected.shape(place) as [number, number, ...number[]];
  const size = rest.reduce((product, dim) => product * dim, 1);
  const data = expected.read(place);
  const entries = positions.map((position, row) => {
    const start = (row * pos + position) * size;
    return [...data.subarray(start, start + size)];
  });
  return Float32Array.from(entries.flat());
}
