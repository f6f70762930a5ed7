import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../engine/tensor-spec.js';
import { MemoryWeights } from '../../engine/weights/weights.js';
import { parseConfig } from './config.js';
import { matchWeights } from './match-weights.js';
import { parameterShapes } from './parameters.js';

const gpt2 = parseConfig(
  { model_type: 'gpt2', n_layer: 2, n_embd: 6, n_head: 2, vocab_size: 11, n_positions: 9 },
  'config.json',
);

/** Weights of the given shapes; each array holds the number of its entry. */
function weights(shapes: Iterable<readonly [string, readonly number[]]>): MemoryWeights {
  const arrays = [...shapes].map(([name, shape], i) => [
    name,
    { shape, data: new Float32Array(sizeOf(shape)).fill(i) },
  ]);
  return new MemoryWeights(new Map(arrays as [string, { shape: number[]; data: Float32Array }][]));
}

describe('parameterShapes', () => {
  it('lists the parameters of a small GPT-2', () => {
    expect(Object.fromEntries(parameterShapes({ ...gpt2, layers: 1 }))).toEqual({
      'transformer.wte.weight': [11, 6],
      'transformer.wpe.weight': [9, 6],
      'transformer.h.0.ln_1.weight': [6],
      'transformer.h.0.ln_1.bias': [6],
      'transformer.h.0.attn.c_attn.weight': [6, 18],
      'transformer.h.0.attn.c_attn.bias': [18],
      'transformer.h.0.attn.c_proj.weight': [6, 6],
      'transformer.h.0.attn.c_proj.bias': [6],
      'transformer.h.0.ln_2.weight': [6],
      'transformer.h.0.ln_2.bias': [6],
      'transformer.h.0.mlp.c_fc.weight': [6, 24],
      'transformer.h.0.mlp.c_fc.bias': [24],
      'transformer.h.0.mlp.c_proj.weight': [24, 6],
      'transformer.h.0.mlp.c_proj.bias': [6],
      'transformer.ln_f.weight': [6],
      'transformer.ln_f.bias': [6],
    });
    expect(parameterShapes({ ...gpt2, tiedEmbeddings: false }).get('lm_head.weight')).toEqual([11, 6]);
  });
});

describe('matchWeights', () => {
  const shapes = [...parameterShapes(gpt2)];

  it('finds weights with and without the prefix of a whole model, and ignores others', () => {
    const named = weights([...shapes, ['transformer.h.0.attn.bias', [1, 1, 9, 9]]]);
    const { weights: full } = matchWeights(gpt2, named, 'm');
    expect(full.names).toEqual(shapes.map(([name]) => name));
    const { weights: bare } = matchWeights(
      gpt2,
      weights(shapes.map(([name, shape]) => [name.replace('transformer.', ''), shape])),
      'm',
    );
    expect(bare.read('transformer.h.1.ln_2.bias')).toEqual(full.read('transformer.h.1.ln_2.bias'));
    expect(bare.shape('transformer.wpe.weight')).toEqual([9, 6]);
  });

  it.each(['_orig_mod.', 'module.', 'base_model.model.', 'language_model.', 'module._orig_mod.'])(
    'takes "%s" off all names, and says so',
    (wrapper) => {
      const wrapped = weights(shapes.map(([name, shape]) => [wrapper + name, shape]));
      const { weights: read, notes } = matchWeights(gpt2, wrapped, 'm');
      expect(read.read('transformer.h.1.ln_2.bias')).toEqual(
        wrapped.read(`${wrapper}transformer.h.1.ln_2.bias`),
      );
      expect(notes).toEqual([
        `the weights in m have "${wrapper}" in front of their names, which is taken off`,
      ]);
    },
  );

  it('passes on what stays in half precision, under the names of the network', () => {
    const named = weights(shapes.map(([name, shape]) => [`module.${name}`, shape]));
    const type = (name: string) =>
      name === 'module.transformer.wte.weight' ? ('float16' as const) : undefined;
    const source = {
      ...named,
      names: named.names,
      shape: named.shape.bind(named),
      read: named.read.bind(named),
    };
    const { halves } = matchWeights(
      gpt2,
      { ...source, halves: { stay: true, type, read: (name) => Uint16Array.of(name.length) } },
      'm',
    ).weights;
    expect(halves!.type('transformer.wte.weight')).toBe('float16');
    expect(halves!.type('transformer.wpe.weight')).toBeUndefined();
    expect(halves!.read('transformer.wte.weight')).toEqual(
      Uint16Array.of('module.transformer.wte.weight'.length),
    );
    expect(matchWeights(gpt2, named, 'm').weights.halves).toBeUndefined();
  });

  it('finds a head that stands outside of the body, whatever wraps that', () => {
    const untied = { ...gpt2, tiedEmbeddings: false };
    const names = [...parameterShapes(untied)].map(
      ([name, shape]) =>
        [
          name.startsWith('transformer.') ? name.replace('transformer.', 'module.transformer.') : name,
          shape,
        ] as const,
    );
    expect(matchWeights(untied, weights(names), 'm').weights.shape('lm_head.weight')).toEqual([11, 6]);
  });

  it('ties the unembedding only where the file has none, or an equal one', () => {
    const head = ['lm_head.weight', [11, 6]] as const;
    const differing = matchWeights(gpt2, weights([...shapes, head]), 'm');
    expect(differing.spec.tiedEmbeddings).toBe(false);
    expect(differing.weights.read('lm_head.weight')[0]).toBe(shapes.length);
    expect(differing.notes).toEqual([expect.stringContaining('two that differ')]);
    // The array of number 0 is the embedding.
    const equal = matchWeights(gpt2, weights([shapes[0]!, ...shapes.slice(1)]), 'm');
    expect(equal.spec.tiedEmbeddings).toBe(true);
    const all = weights(shapes);
    const twice = {
      names: [...all.names, 'lm_head.weight'],
      shape: (name: string) => all.shape(name === 'lm_head.weight' ? 'transformer.wte.weight' : name),
      read: (name: string) => all.read(name === 'lm_head.weight' ? 'transformer.wte.weight' : name),
    };
    expect(matchWeights(gpt2, twice, 'm')).toMatchObject({ spec: { tiedEmbeddings: true }, notes: [] });
  });

  it('names a missing weight and its shape', () => {
    const rest = shapes.filter(([name]) => name !== 'transformer.h.1.mlp.c_fc.weight');
    expect(() => matchWeights(gpt2, weights(rest), 'model/')).toThrow(
      'config.json and the weights in model/ disagree: there is no "transformer.h.1.mlp.c_fc.weight" of shape [6, 24]; take both files from the same model',
    );
  });

  it('names a weight of another shape and both shapes', () => {
    const turned = shapes.map(([name, shape]) => [name, [...shape].reverse()] as const);
    expect(() => matchWeights(gpt2, weights(turned), 'model/')).toThrow(
      'config.json and the weights in model/ disagree: ' +
        '"transformer.wte.weight" should be of shape [11, 6] but is [6, 11]',
    );
  });

  it('does not take a part of a deeper network', () => {
    const deeper = weights([...shapes, ['transformer.h.2.ln_1.weight', [6]]]);
    expect(() => matchWeights(gpt2, deeper, 'model/')).toThrow(
      'there is "transformer.h.2.ln_1.weight" but only 2 layers',
    );
    const bare = weights(
      [...deeper.names].map((name) => [name.replace('transformer.', ''), deeper.shape(name)]),
    );
    expect(() => matchWeights(gpt2, bare, 'model/')).toThrow('there is "h.2.ln_1.weight" but only 2 layers');
  });
});
