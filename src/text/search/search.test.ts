/** Searches on the embedded model: what any method must keep to, and what evolution must reach. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { booksSession } from '../../../test/helpers/books-session.js';
import { UsageError, UserError } from '../../core/errors.js';
import { dominates } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { OnnxRuntime } from '../../engine/backends/onnx-runtime.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { scoreText } from '../score.js';
import { type SearchCheckpoint, searchCheckpoint } from './checkpoint.js';
import { earlierSearch } from './resume.js';
import { type SearchMethodName, type SearchOptions, type SearchResult, searchText } from './search.js';

let model: TextModel;
/** A search that several tests look at. */
const first = {
  events: [] as RunEvent[],
  checkpoints: [] as string[],
  result: undefined as unknown as SearchResult,
};
beforeAll(async () => {
  process.env.SUPERSTIM_CACHE = mkdtempSync(join(tmpdir(), 'superstim-'));
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
  const saving = {
    everySeconds: 0,
    save: (checkpoint: SearchCheckpoint) => first.checkpoints.push(JSON.stringify(checkpoint)),
  };
  first.result = await finishRun(searchText(options({ saving })), (event) => first.events.push(event));
});

const options = (changes: Partial<SearchOptions> = {}): SearchOptions => ({
  ...booksSession(model),
  unit: 'L1.H3',
  method: 'auto',
  length: 8,
  budget: { evaluations: 600 },
  baseline: false,
  finalists: 0,
  ...changes,
});

/** Scored in another batch, a text may differ in the last digits. */
const rounded = <T extends ScoredText>(one: T) => ({
  cross_entropy: Number(one.cross_entropy.toFixed(3)),
  z: Number(one.z.toFixed(3)),
  margin: one.margin && Number(one.margin.toFixed(3)),
});

describe('searchText', () => {
  it('closes the graphs that searched before it opens those that explain', async () => {
    const closed = vi.spyOn(OnnxRuntime.prototype, 'disposeProgram');
    const opened = vi.spyOn(OnnxRuntime.prototype, 'load');
    const counts = async (event: RunEvent) => {
      if (event.kind === 'progress' && event.source === 'search')
        counted.searching = opened.mock.calls.length;
      if (event.kind === 'explained') counted.closed ??= closed.mock.calls.length;
    };
    const counted: { searching: number; closed?: number } = { searching: 0 };
    await finishRun(
      searchText(options({ method: 'epo', budget: { evaluations: 100 }, finalists: 1 })),
      counts,
    );
    expect(counted.searching).toBeGreaterThan(2);
    expect(counted.closed).toBeGreaterThanOrEqual(counted.searching);
    vi.restoreAllMocks();
  });

  it.each(['auto', 'evolve', 'epo', 'gcg', 'soft', 'sample', 'prior'] satisfies SearchMethodName[])(
    '%s keeps to the rules of a frontier',
    async (method) => {
      const events: RunEvent[] = [];
      const result = await finishRun(searchText(options({ method, finalists: 3 })), (event) =>
        events.push(event),
      );
      expect(result.frontier.length).toBeGreaterThan(0);
      for (const candidate of result.frontier) {
        expect(candidate.token_ids).toHaveLength(8);
        expect(model.tokenizer.decode(candidate.token_ids)).toBe(candidate.text);
        expect(model.tokenizer.encode(candidate.text).slice(1)).toEqual(candidate.token_ids);
        const rivals = result.frontier.filter((other) => other !== candidate);
        expect(rivals.some((other) => dominates(other, candidate))).toBe(false);
      }
      // The frontier is what the candidate events add up to.
      const reported = events
        .filter((event) => event.kind === 'candidate')
        .map(({ candidate }) => JSON.stringify(candidate));
      for (const candidate of result.frontier) expect(reported).toContain(JSON.stringify(candidate));
      // A few of them are explained, by the same figures.
      const explained = events.flatMap((event) => (event.kind === 'explained' ? [event.explanation] : []));
      expect(explained.length).toBeGreaterThan(1);
      const known = [
        ...result.frontier,
        ...(result.baselines.prior_best ? [result.baselines.prior_best] : []),
      ];
      for (const { text, score, cross_entropy, margin, rank } of explained) {
        const candidate = known.find((other) => other.text === text)!;
        expect(score).toBeCloseTo(candidate.z, 3);
        expect(cross_entropy).toBeCloseTo(candidate.cross_entropy, 3);
        expect(margin).toBeCloseTo(candidate.margin!, 3);
        expect(rank).toBe(candidate.rank);
      }
      expect(result.clusters.flatMap(({ texts }) => texts)).toHaveLength(explained.length);
      expect(events[0]).toMatchObject({ kind: 'started', unit: 'L1.H3', method });
      expect(events.at(-1)).toMatchObject({ kind: 'finished', reason: 'done' });
      // Never more than was asked for; less only by what a gradient would cost.
      expect(result.cost.evaluations).toBeLessThanOrEqual(600);
      expect(result.cost.evaluations).toBeGreaterThanOrEqual(600 - 16);
      expect(result.cost.token_layers).toBeGreaterThan(580 * 8 * model.spec.layers);
    },
  );

  it('gives the same frontier for the same seed, and another for another', async () => {
    const run = async (seed: number) => (await finishRun(searchText(options({ seed })))).frontier;
    expect(await run(1)).toEqual(first.result.frontier);
    expect(await run(2)).not.toEqual(first.result.frontier);
  });

  it('gives the same frontier where it was cut off after any turn', async () => {
    const all = first.checkpoints.map((text) => searchCheckpoint.parse(JSON.parse(text)));
    const within = all.filter(({ evaluations }) => evaluations > 0 && evaluations < 600);
    const turn = Math.floor(Math.random() * within.length);
    const checkpoint = within[turn]!;
    const earlier = earlierSearch(first.events, checkpoint);
    const { frontier, cost } = await finishRun(searchText(options({ earlier })));
    expect({ turn, frontier }).toEqual({ turn, frontier: first.result.frontier });
    expect(cost.evaluations).toBe(first.result.cost.evaluations);
    const other = { ...searchCheckpoint.parse(JSON.parse(first.checkpoints[1]!)), state: {} };
    const broken = searchText(options({ earlier: { ...earlier, checkpoint: other } }));
    await expect(finishRun(broken)).rejects.toThrow('is damaged');
  });

  it('reports what score says of the same text', async () => {
    const strongest = first.result.frontier.reduce((a, b) => (b.z > a.z ? b : a));
    const score = await finishRun(scoreText({ ...options(), text: strongest.text, units: ['L1.H3'] }));
    const [unit] = score.units;
    expect(score.cross_entropy).toBeCloseTo(strongest.cross_entropy, 3);
    expect(unit!.peak.z).toBeCloseTo(strongest.z, 3);
    expect(unit!.peak.raw / strongest.raw).toBeCloseTo(1, 4);
    expect(unit!.margin).toBeCloseTo(strongest.margin!, 3);
    expect(unit!.rank).toBe(strongest.rank);
  });

  it('beats as many samples of the prior, for a head and a neuron', async () => {
    for (const unit of ['L1.H3', 'L2.N100']) {
      const { hypervolume, baselines } = await finishRun(
        searchText(options({ unit, budget: { evaluations: 1200 }, baseline: true })),
      );
      expect(baselines.prior_best!.evaluations).toBe(1200);
      expect(hypervolume).toBeGreaterThan(baselines.prior_best!.hypervolume);
    }
  });

  it('reports how selective a text is against rivals that it was not searched with', async () => {
    const { frontier } = await finishRun(
      searchText(options({ unit: 'L2.N100', budget: { evaluations: 200 } })),
    );
    const [first] = frontier;
    const score = await finishRun(scoreText({ ...options(), text: first!.text, units: ['L2.N100'] }));
    expect(score.units[0]!.margin).toBeCloseTo(first!.margin!, 3);
    expect(score.units[0]!.rank).toBe(first!.rank);
    for (const { margin, rank, held_out } of frontier) {
      expect(held_out!.margin).toBeGreaterThanOrEqual(margin!);
      expect(held_out!.rank).toBeLessThanOrEqual(rank!);
    }
  });

  it('counts a prompt to stay quiet on as one more rival', async () => {
    const loud = await finishRun(searchText(options({ reference: 'none', budget: { evaluations: 200 } })));
    const prompt = loud.frontier.at(-1)!;
    expect(prompt.margin).toBeNull();
    const { frontier } = await finishRun(
      searchText(
        options({ reference: 'none', quietOn: ['the', prompt.text], seed: 2, budget: { evaluations: 200 } }),
      ),
    );
    for (const { z, margin, rank } of frontier) {
      expect(margin).toBeCloseTo(z - prompt.z, 3);
      expect(rank).toBe(z > prompt.z ? 1 : 2);
    }
  });

  it('weighs rivals and fluency as asked, and says what a method measured', async () => {
    const run = async (changes: Partial<SearchOptions>) =>
      finishRun(searchText(options({ unit: 'L2.H4', budget: { evaluations: 512 }, ...changes })));
    const [plain, selective] = [await run({ method: 'sample' }), await run({ method: 'sample', gamma: 2 })];
    const figures = Object.entries(plain.measured!);
    expect(figures.filter(([name]) => name.startsWith('log_z'))).toHaveLength(8);
    // Rivals are taken off what is summed over: their softmax-weighted z is above 0 for any text.
    for (const [name, value] of figures.filter(([name]) => name.startsWith('log_z')))
      expect(selective.measured![name]).toBeLessThan(value);

    const fluent = await run({ method: 'soft', lambda: 10 });
    const strong = await run({ method: 'soft', lambda: 0.1 });
    expect(fluent.measured!.soft_to_hard_gap).toBeTypeOf('number');
    const costOf = ({ frontier }: SearchResult) =>
      frontier.reduce((sum, text) => sum + text.cross_entropy, 0) / frontier.length;
    expect(costOf(fluent)).toBeLessThan(costOf(strong) - 1);
    await expect(run({ lambda: 1 })).rejects.toThrow(/`lambda` is one weight/);
  });

  it('ends with the reason where no text survives decoding and encoding', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'superstim-no-decoder-'));
    cpSync(`${embeddedFolder}/books-lm`, folder, { recursive: true });
    const path = join(folder, 'tokenizer.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), decoder: null }));
    const model = await loadTextModel(folder);
    for (const method of ['auto', 'epo'] as const) {
      const run = finishRun(searchText(options({ model, method, budget: { evaluations: 64 } })));
      await expect(run).rejects.toThrow(UserError);
      await expect(run).rejects.toThrow(
        /of \d+ that were tried, the tokenizer of .* gives none back unchanged/,
      );
    }
    rmSync(folder, { recursive: true });
  });

  it('resumes with what an earlier part found, and spends what is left', async () => {
    const earlier = earlierSearch(first.events);
    expect(earlier.evaluations).toBe(first.result.cost.evaluations);
    const second = await finishRun(searchText(options({ budget: { evaluations: 900 }, earlier })));
    expect(second.cost.evaluations).toBe(900);
    for (const old of first.result.frontier)
      expect(second.frontier.some((one) => dominates(rounded(one), rounded(old)))).toBe(true);
    expect(second.hypervolume).toBeGreaterThan(first.result.hypervolume);
  });

  it('grafts triggers, and when resumed has something left to breed with', async () => {
    const operators: string[] = [];
    const events: RunEvent[] = [];
    const search = async (evaluations: number, changes: Partial<SearchOptions> = {}) => {
      operators.length = 0;
      await finishRun(
        searchText(options({ unit: 'L2.N100', budget: { evaluations }, ...changes })),
        (event) => {
          events.push(event);
          if (event.kind === 'candidate') operators.push(event.operator);
        },
      );
    };
    await search(7000);
    expect(operators).toContain('graft');
    await search(8000, { earlier: earlierSearch(events) });
    expect(new Set(operators).size).toBeGreaterThan(3);
  });

  it('stops at a signal and keeps what it found', async () => {
    const controller = new AbortController();
    const run = searchText(options({ budget: { seconds: 1000 }, baseline: true, signal: controller.signal }));
    const result = await finishRun(run, (event) => {
      if (event.kind === 'candidate') controller.abort();
    });
    expect(result.frontier.length).toBeGreaterThan(0);
    expect(result.baselines.prior_best).toBeNull();
  });

  it('searches neurons before their activation, directions of the reference class and logits', async () => {
    for (const unit of ['L2.N7:pre', 'logit: the']) {
      const { frontier } = await finishRun(searchText(options({ unit, budget: { evaluations: 200 } })));
      expect(frontier.at(-1)!.z).toBeGreaterThan(1);
      expect(frontier.at(-1)!.rank === null).toBe(unit.startsWith('logit'));
    }
  });

  it('refuses what makes no sense before it computes', async () => {
    const refused = async (changes: Partial<SearchOptions>) => finishRun(searchText(options(changes)));
    await expect(refused({ budget: { seconds: 0 } })).rejects.toThrow(/budget of 0/);
    await expect(refused({ length: 256 })).rejects.toThrow(/does not fit the model's context of 256/);
    await expect(refused({ unit: 'L9.H0' })).rejects.toThrow(UsageError);
    await expect(refused({ reference: 'everyone' })).rejects.toThrow(/reference class "everyone"/);
  });
});
