/** @file The search of an atlas: a pool of samples and of the user's text first, then breeding, until the budget is spent. */
import { untilStopped } from '../../core/until-stopped.js';
import { Checkpoints } from '../../runs/checkpoints.js';
import type { EventBody } from '../../runs/events.js';
import type { CorpusFile, CorpusPlace } from '../corpus/corpus-text.js';
import { corpusSequences } from '../corpus/corpus-text.js';
import { stackRows } from '../lm/rows.js';
import { Bandit } from '../search/bandit.js';
import { Breeding, type Shares } from '../search/breeding.js';
import { evolutionShares } from '../search/evolve.js';
import { Growth } from '../search/growth.js';
import type { Ledger } from '../search/ledger.js';
import type { AtlasArena } from './atlas-arena.js';
import type { AtlasBudget, AtlasOptions } from './atlas-options.js';
import type { AtlasCheckpoint } from './checkpoint.js';
import type { AtlasText } from './unit-archive.js';

/** Largest share of the budget for the pool: it ends sooner where frontiers stop to grow. */
const POOL_SHARE = 0.15;
/** Samples before which no breeding pays. */
const LEAST_POOL = 1024;
/** One in so many samples of the pool must be new. */
const LEAST_NEW = 8;
/** Generations after which some more of the corpus is read. */
const CORPUS_EVERY = 3;
/** Cost, in children, of what an operator must have made before it is believed to differ from the average. */
const TRUST = 64;
/** How often each operator is used while nothing is known: samples, each of which may be of use to every unit, as often as all others. */
const shares = { ...evolutionShares, prior: 15 } as const satisfies Shares;
/** Seconds between two figures of growth in the log. */
const STEP_SECONDS = 2;
/** Sequences lost in a row, nothing being spent, after which there is nothing left to find. */
const MOST_LOST = 3000;

/** Runs the search; the arena has what it found. */
export async function* driveAtlas(
  arena: AtlasArena,
  { budget, naturalText, signal, earlier, saving }: AtlasOptions,
): AsyncGenerator<EventBody, void, void> {
  const before = earlier?.checkpoint;
  const { ledger } = arena;
  const corpus = naturalText ? new CorpusTurns(arena, naturalText, before?.corpus ?? null) : null;
  if (before) await arena.recall(rowsOf(before.texts), before.evaluations);
  const growth = { goesOn: true };
  const turns = untilStopped(atlasTurns(arena, corpus, growth), signal);
  const checkpoints = new Checkpoints<AtlasCheckpoint>(saving, () => ({
    version: 1,
    evaluations: ledger.evaluations,
    seconds: ledger.seconds,
    corpus: corpus?.place ?? null,
    texts: textsOf(arena),
  }));
  const goesOn = () => ('growth' in budget ? growth.goesOn : ledger.spent < 1);
  let [stepped, step, lost] = [0, 0, 0];
  try {
    while (goesOn() && !signal?.aborted && ledger.lost - lost < MOST_LOST) {
      const { evaluations } = ledger;
      if ((await turns.next()).done) break;
      if (ledger.evaluations > evaluations) lost = ledger.lost;
      yield progressOf(budget, ledger);
      if (ledger.seconds - stepped >= STEP_SECONDS) {
        stepped = ledger.seconds;
        const metrics = { hypervolume: arena.hypervolume, evaluations: ledger.evaluations };
        yield { kind: 'step', source: 'search', step: ++step, metrics };
      }
      checkpoints.writeIfDue();
    }
  } finally {
    await turns.return();
    // Also what was found before an error.
    checkpoints.write();
  }
}

function progressOf(budget: AtlasBudget, { seconds, evaluations, spent }: Ledger): EventBody {
  const isTimed = 'seconds' in budget;
  const total = isTimed ? budget.seconds : 'evaluations' in budget ? budget.evaluations : null;
  return {
    kind: 'progress',
    source: 'search',
    budget: isTimed ? 'seconds' : 'evaluations',
    done: total === null ? evaluations : Math.min(spent, 1) * total,
    total,
    rate: evaluations / seconds,
    rate_unit: 'evaluations',
    seconds_left: spent > 0 ? Math.max(0, (seconds * (1 - spent)) / spent) : null,
    note: total === null ? 'until frontiers hardly grow' : 'atlas',
  };
}

/** A turn at a time. */
async function* atlasTurns(
  arena: AtlasArena,
  corpus: CorpusTurns | null,
  growing: { goesOn: boolean },
): AsyncGenerator<void, void, void> {
  const { turn } = arena.options;
  // A resumed atlas has had its pool.
  const isFresh = arena.ledger.evaluations === 0;
  const pool = new Growth();
  const { ledger } = arena;
  const isSmall = () => ledger.evaluations < LEAST_POOL || (!pool.hasStopped && ledger.spent < POOL_SHARE);
  /** Whether the last samples had hardly been drawn before. */
  let isVaried = true;
  while (arena.isEmpty || (isFresh && isSmall() && isVaried)) {
    const before = ledger.evaluations;
    await arena.evaluatePrior(turn);
    isVaried = ledger.evaluations - before > turn / LEAST_NEW;
    yield;
    if (await corpus?.next()) yield;
    pool.add(arena.ledger.evaluations, arena.hypervolume);
  }
  const breeding = new Breeding(arena);
  const bandit = new Bandit(shares, TRUST);
  /** What samples gained before: that was not the bandit's choice. */
  const pooled = arena.gains.get('prior') ?? 0;
  /** Samples since then. */
  let sampled = 0;
  const growth = new Growth();
  for (let generation = 1; ; generation++) {
    const { prior, ...bred } = bandit.shares();
    const samples = Math.round(prior * turn);
    const before = ledger.evaluations;
    await arena.evaluatePrior(samples);
    sampled += ledger.evaluations - before;
    await breeding.generation(bred, turn - samples);
    bandit.learn((arm) =>
      arm === 'prior'
        ? { gain: (arena.gains.get(arm) ?? 0) - pooled, cost: sampled }
        : { gain: arena.gains.get(arm) ?? 0, cost: breeding.costs.get(arm) ?? 0 },
    );
    growth.add(arena.ledger.evaluations, arena.hypervolume);
    growing.goesOn = !growth.hasStopped;
    yield;
    if (generation % CORPUS_EVERY === 0 && (await corpus?.next())) yield;
  }
}

/** The user's text, a turn at a time, from where an earlier part stopped. */
class CorpusTurns {
  place: CorpusPlace | null;
  private waiting: Int32Array[] = [];
  private readonly parts: ReturnType<typeof corpusSequences>;

  constructor(
    private readonly arena: AtlasArena,
    files: readonly CorpusFile[],
    from: CorpusPlace | null,
  ) {
    const { positions, panel } = arena.options;
    const cut = { unit: 'window', length: positions - 1 } as const;
    this.place = from;
    this.parts = corpusSequences(files, panel.options.subject.tokenizer, cut, from ?? undefined);
  }

  /** Scores some more of it; false where it is at its end. */
  async next(): Promise<boolean> {
    const { turn } = this.arena.options;
    while (this.waiting.length < turn) {
      const part = await this.parts.next();
      if (part.done) break;
      this.place = part.value.next;
      this.waiting.push(...part.value.sequences);
    }
    const rows = this.waiting.splice(0, turn).filter((ids) => this.arena.isNew(ids));
    if (rows.length === 0) return false;
    await this.arena.evaluate(stackRows(rows), Array(rows.length).fill('corpus'));
    return true;
  }
}

/** All texts that any unit keeps, by what made them. */
function textsOf({ units }: AtlasArena): AtlasCheckpoint['texts'] {
  const kept = new Set<AtlasText>();
  for (const { members, population, examples } of units)
    for (const list of [members, population.niches.members, examples])
      for (const { text } of list) kept.add(text);
  const texts: AtlasCheckpoint['texts'] = {};
  for (const { ids, source } of kept) {
    texts[source] ??= [];
    texts[source].push(Array.from(ids));
  }
  return texts;
}

const rowsOf = (texts: AtlasCheckpoint['texts']): ReadonlyMap<string, Int32Array[]> =>
  new Map(Object.entries(texts).map(([source, all]) => [source, all.map((ids) => Int32Array.from(ids))]));
