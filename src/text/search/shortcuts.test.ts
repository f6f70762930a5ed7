/** Shortcuts: the same is found with each as without. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import {
  calibrationOn,
  randomModel,
  subjectOf,
  tinyConfigs,
  unitsOf,
} from '../../../test/helpers/random-model.js';
import { hasHalves, webgpu } from '../../../test/helpers/webgpu.js';
import { Random } from '../../core/random.js';
import type { Precision, Traits } from '../../engine/compile.js';
import { hasDotProducts, listsDotProducts } from '../../engine/dot-products.js';
import { featuresOf } from '../../engine/processor.js';
import { MemoryWeights, type WeightArray } from '../../engine/weights/weights.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { loadTextModel } from '../lm/model.js';
import { stackRows } from '../lm/rows.js';
import { Probe } from '../readouts/probe.js';
import { JudgeRoughly } from './judge-roughly.js';
import { Proposer } from './proposals.js';
import { RankFirst } from './rank-first.js';
import { type Choose, WholeScorer } from './scoring.js';
import { type SearchResult, searchText } from './search.js';
import { allShortcuts, noShortcuts, type Shortcuts, shortcutsFor } from './shortcuts.js';

it('shortcuts are on for wide models whose weights are kept as float32', () => {
  const { spec } = subjectOf(randomModel(tinyConfigs.gpt2));
  const shortcuts = (dModel: number, stay: boolean, dotProducts = true, rough: Traits['rough'] = 'int8') => {
    const halves = { stay, type: () => undefined, read: () => new Uint16Array() };
    const weights = { names: [], shape: () => [], read: () => new Float32Array(), halves };
    return shortcutsFor({ spec: { ...spec, dModel }, weights }, { rough }, dotProducts);
  };
  expect(shortcuts(511, false)).toBe(noShortcuts);
  expect(shortcuts(512, false)).toEqual(allShortcuts);
  const { roughRanking, sideBySide, largeGenerations } = noShortcuts;
  expect(shortcuts(512, false, false)).toEqual({
    ...allShortcuts,
    roughRanking,
    sideBySide,
    largeGenerations,
  });
  expect(
    ['fpu avx2 avx512_vnni\nbugs', 'Features : fp asimd asimddp', 'fpu avx2 sse4a'].map((list) =>
      listsDotProducts(featuresOf(list)),
    ),
  ).toEqual([true, true, false]);
  expect(shortcuts(512, true)).toBe(noShortcuts);
  const onGpu = (dModel: number) => shortcuts(dModel, false, true, 'float16');
  expect([onGpu(511), onGpu(512)]).toEqual([noShortcuts, { ...noShortcuts, roughProposals: true }]);
  expect(shortcuts(512, false, true, null)).toBe(noShortcuts);
});

describe.each(['evolve', 'epo'] as const)('a search by %s', (method) => {
  const search = async (shortcuts: Shortcuts) => {
    process.env.SUPERSTIM_CACHE = mkdtempSync(join(tmpdir(), 'superstim-'));
    const model = await loadTextModel(`${embeddedFolder}/books-lm`);
    return finishRun(
      searchText({
        model,
        modelHash: 'books-lm',
        shortcuts,
        unit: 'L0.N233',
        method,
        seed: 1,
        engine: 'onnx',
        measure: 'delta',
        at: 'max',
        reference: 'layer',
        length: 12,
        budget: { evaluations: 600 },
        baseline: false,
        finalists: 0,
      }),
    );
  };

  it('finds the same with shortcuts as without, with shared prefixes for less work', async () => {
    const plain = await search(noShortcuts);
    const shared = await search({ ...noShortcuts, sharedPrefixes: true });
    const ended = await search({ ...noShortcuts, sharedPrefixes: true, unitFirst: true });
    // Its matrices are too small for 8 bits: what goes with them is what is looked at here.
    const ranked = await search({ ...noShortcuts, roughRanking: true });
    const exact = await search({ ...noShortcuts, sharedPrefixes: true, roughRanking: true });
    const large = await search({ ...noShortcuts, largeGenerations: true });
    const drafted = await search({ ...noShortcuts, roughProposals: true });
    const divided = await search({
      ...noShortcuts,
      sharedPrefixes: true,
      roughProposals: true,
      sideBySide: true,
    });
    const texts = ({ frontier }: SearchResult) => frontier.map(({ text }) => text);
    expect(texts(plain).length).toBeGreaterThan(3);
    expect(texts(shared)).toEqual(texts(plain));
    expect(texts(ended)).toEqual(texts(plain));
    expect(texts(ranked)).toEqual(texts(plain));
    expect(texts(exact)).toEqual(texts(plain));
    expect(exact.cost.token_layers).toBeLessThan(ranked.cost.token_layers);
    // Other children of the same parents; those of EPO are as published.
    if (method === 'epo') expect(texts(large)).toEqual(texts(plain));
    else expect(texts(large)).not.toEqual(texts(plain));
    expect(large.cost.evaluations).toBe(plain.cost.evaluations);
    expect(texts(drafted)).toEqual(texts(plain));
    // Drafts of two halves have random numbers of their own.
    expect(divided.frontier.length).toBeGreaterThan(3);
    expect(divided.cost.evaluations).toBe(plain.cost.evaluations);
    expect(shared.cost.token_layers).toBeLessThan(plain.cost.token_layers);
    // Calls are filled up: for the few children of a small generation, ending early is no less.
    const most = method === 'epo' ? shared.cost.token_layers : 1.05 * plain.cost.token_layers;
    expect(ended.cost.token_layers).toBeLessThan(most);
    expect(ranked.cost.token_layers).toBeLessThan(1.3 * plain.cost.token_layers); // 2, if all were scored twice
  });
});

/**
 * A neuron of a random model that is wide enough for products in 8 bits.
 *
 * @param size - of the entries of its matrices: with large ones attention saturates
 */
async function wideProbe(size = 1) {
  const config = { ...tinyConfigs.gpt2, n_embd: 264, n_inner: 300, vocab_size: 300 };
  const { spec, arrays } = randomModel(config, 3);
  const scaled = arrays.map(([name, { shape, data }]): [string, WeightArray] => [
    name,
    { shape, data: shape.length > 1 ? data.map((x) => x * size) : data },
  ]);
  const weights = new MemoryWeights(new Map(scaled));
  const positions = 9;
  const random = new Random(1);
  const row = () =>
    Int32Array.from({ length: positions }, (_, i) => (i === 0 ? 0 : random.integer(spec.vocab)));
  const text = stackRows(Array.from({ length: 20 }, row));
  const calibration = calibrationOn({ spec, weights }, text, positions);
  const probe = await Probe.create({
    subject: subjectOf({ spec, weights }),
    calibration,
    ...unitsOf({ spec }, 'L1.N3', 'layer'),
    at: 'max',
  });
  return { spec, weights, positions, random, row, probe };
}

describe.skipIf(!hasDotProducts())('ranking in 8 bits (where the processor has instructions for it)', () => {
  it('keeps what matters, with the exact scores, and leaves out most of the rest', async () => {
    const { spec, positions, random, row, probe } = await wideProbe();
    const rough = probe.inPrecision('rough');
    const screen = new RankFirst(
      new JudgeRoughly(
        new WholeScorer(rough, positions, [16]),
        new WholeScorer(probe, positions, [16, 3, 1]),
        'max',
      ),
    );
    const families = Array.from({ length: 8 }, row);
    const children = Array.from({ length: 64 }, (_, i) => {
      const child = families[i % 8]!.slice();
      child[1 + random.integer(positions - 1)] = random.integer(spec.vocab);
      return child;
    });
    const exact = await probe.score(stackRows(children), positions, 16);
    const limit = [...exact.z].sort((a, b) => b - a)[6]!;
    const matters: Choose = (prospects) => prospects.map(({ best }) => best.z >= limit);
    const known = await probe.score(stackRows(families), positions, 16);
    const parents = children.map((_, i) => {
      const [cross_entropy, z] = [known.crossEntropy[i % 8]!, known.z[i % 8]!];
      return { ids: families[i % 8]!, cross_entropy, z, margin: null, peak: known.peak[i % 8]! };
    });
    const should = [...children.keys()].filter((i) => exact.z[i]! >= limit);
    // The first call learns how far rough scores are off.
    const first = await screen.score(children, parents, matters);
    const { kept, scores } = await screen.score(children, parents, matters);
    for (const i of should) expect([first.kept.includes(i), kept.includes(i)]).toEqual([true, true]);
    expect(first.kept.length).toBeLessThan(48);
    expect(kept.length).toBeLessThan(32);
    expect(
      relativeError(
        scores.z,
        kept.map((i) => exact.z[i]!),
      ),
    ).toBeLessThan(1e-5);
    expect(
      relativeError(
        scores.crossEntropy,
        kept.map((i) => exact.crossEntropy[i]!),
      ),
    ).toBeLessThan(1e-5);
    const none = await screen.score(children, parents, (prospects) => prospects.map(() => false));
    expect([none.kept, none.scores.z.length]).toEqual([[], 0]);
    const roughly = await rough.score(stackRows(children), positions, 16);
    expect(relativeError(roughly.z, exact.z)).toBeGreaterThan(1e-4); // it is another precision indeed
    await Promise.all([probe.dispose(), rough.dispose()]);
  });
});

const roughly = [
  { name: '8 bits', engine: 'onnx', skipped: false, closest: 0.8 },
  { name: 'half precision on a GPU', engine: webgpu.engine, skipped: !(await hasHalves()), closest: 0.97 },
] as const;

describe.each(roughly)('proposals in $name', ({ engine, skipped, closest }) => {
  it.skipIf(skipped)('are nearly those of float32', async () => {
    const { positions, row, probe: onCpu } = await wideProbe(0.05);
    const probe = onCpu.on(engine);
    const rows = [row(), row(), row()];
    const listed = async (precision: Precision) => {
      const proposer = new Proposer({
        probe,
        positions,
        precision,
        batch: 2,
        asked: 8,
        count: 30,
      });
      const steepest = await proposer.steepest(rows, [0.1, 2, 0.5]);
      const lists = await proposer.propose(stackRows(rows), [0, 0, 1]);
      await proposer.dispose();
      return [...steepest, ...lists.map(({ gradient }) => gradient.ids)];
    };
    const [exact, rough] = [await listed('float32'), await listed('rough')];
    const shares = exact.flatMap((ids, i) =>
      Array.from({ length: positions - 1 }, (_, position) => {
        const part = (all: Int32Array) => all.subarray(position * 30, (position + 1) * 30);
        const known = new Set(part(ids));
        return part(rough[i]!).filter((id) => known.has(id)).length / 30;
      }),
    );
    const share = shares.reduce((sum, x) => sum + x, 0) / shares.length;
    expect(share).toBeGreaterThan(closest); // 0.1, were they unrelated
    expect(share).toBeLessThan(1);
    await Promise.all([probe.dispose(), onCpu.dispose()]);
  });
});
