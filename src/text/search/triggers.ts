/**
 * @file Triggers: the few tokens that excite a unit most, however improbable, found by many climbs side by side.
 *
 * Operators that keep to what the prior writes find rare pairs late: the first of two tokens that excite only together
 * has nothing to show. Here neither fluency nor rivals count, so that a text is scored no further than the unit's measure
 * needs, and costs a fraction. What is found is grafted into fluent texts.
 */
import { pairOf } from '../lm/in-halves.js';
import { Probe } from '../readouts/probe.js';
import { noRivals } from '../readouts/reference.js';
import type { Arena, Turns } from './arena.js';
import { Proposer } from './proposals.js';
import { usableTokens } from './random-texts.js';
import { ChangedStrength, type Strength, StrengthPair, WholeStrength } from './trigger-strength.js';

/** Tokens of a trigger; fewer where texts are shorter. */
const TOKENS = 5;
/** Climbs side by side, each with another last token. */
const CLIMBS = 16;
/** Steps of a climb, at most. */
const STEPS = 5;
/** Tokens that a step tries at each position: the steepest of the gradient. */
const TRIED = 64;
/** Random texts to begin with, beside the ends of what the population has, at most; and the most that they may take. */
const RANDOM_TEXTS = 2048;
const RANDOM_SHARE = 0.25;
/** Evaluations without which climbs come to nothing. */
const LEAST = 1000;

/** Tokens of texts that are computed in one call, where beginnings are shared. */
const TEXT_TOKENS = 256;

/** Texts of a step, twice those of a turn, in each half: they are short. */
const batchOf = ({ options: { turn, engines } }: Arena) => (engines ? 4 : 2) * turn;

interface Trigger {
  /** Behind the start token, `[positions]`. */
  readonly ids: Int32Array;
  /** At the last token, sigmas. */
  readonly z: number;
}

/** Finds triggers, as often as it is asked to, with graphs that are compiled once. */
export class TriggerFinder {
  /** By last token. */
  private best = new Map<number, Trigger>();
  /** Evaluations that may still be spent. */
  private left = 0;

  private constructor(
    private readonly arena: Arena,
    private readonly proposer: Proposer,
    private readonly strength: Strength,
  ) {}

  static async create(arena: Arena): Promise<TriggerFinder> {
    const { probe: whole, proposer, positions: longest } = arena.options;
    const { precision = 'float32' } = proposer.options;
    const probe = await Probe.create({
      ...whole.options,
      at: 'last',
      precision,
      reference: noRivals,
    });
    const positions = Math.min(1 + TOKENS, longest);
    // A few of them at a time where weights stay in half precision to save memory: slopes along all tokens are large.
    const most = whole.options.subject.weights.halves?.stay ? CLIMBS / 2 : 2 * CLIMBS;
    const asked = { probe, positions, asked: most, count: TRIED, fluency: false };
    const { engines, sharesPrefixes } = arena.options;
    const changed = (probe: Probe) => new ChangedStrength(probe, positions, TEXT_TOKENS);
    const strength = engines
      ? new StrengthPair(pairOf(engines, (engine) => changed(probe.on(engine))))
      : sharesPrefixes
        ? changed(probe)
        : new WholeStrength(probe, positions, batchOf(arena));
    return new TriggerFinder(arena, new Proposer({ ...proposer.options, ...asked }), strength);
  }

  /**
   * Looks for triggers for a share of the budget; ends sooner where no climb gets higher.
   *
   * @returns the strongest first, each behind the start token; no two end with the same token. None where the share is
   *   too small to find any
   */
  async *find(share: number): Turns<Int32Array[]> {
    const { arena } = this;
    this.best = new Map();
    this.left = Math.min(arena.ledger.left, Math.floor(share * arena.ledger.allowed.evaluations));
    if (this.left < LEAST) return [];
    const before = arena.ledger.spent;
    const spent = () => (arena.ledger.spent - before) / share;
    for await (const _ of this.climb(spent)) {
      yield;
      if (spent() >= 1) break;
    }
    return this.strongest.map(({ ids }) => ids);
  }

  private get strongest(): Trigger[] {
    return [...this.best.values()].sort((a, b) => b.z - a.z).slice(0, CLIMBS);
  }

  /**
   * A call at a time.
   *
   * @param spent - how much of their share is spent, 0 to 1
   */
  private async *climb(spent: () => number): Turns {
    /** Whose neighbours were tried. */
    const done = new Set<Trigger>();
    const ends = this.ends();
    yield* this.score(ends, Array(ends.length).fill(ends[0]));
    const random = this.randomTexts();
    const most = Math.min(RANDOM_TEXTS, RANDOM_SHARE * this.left);
    for (let texts = 0; texts < most && spent() < RANDOM_SHARE; texts += this.batch) {
      const some = Array.from({ length: Math.min(this.batch, most - texts) }, random);
      yield* this.score(some, Array(some.length).fill(some[0]));
    }
    for (let step = 0; step < STEPS; step++) {
      const climbing = this.strongest.filter((trigger) => !done.has(trigger));
      if (climbing.length === 0 || this.left < 2 * climbing.length) return;
      for (const trigger of climbing) done.add(trigger);
      const texts = climbing.map(({ ids }) => ids);
      this.left -= 2 * texts.length;
      const steepest = await this.arena.steepest(texts, Array(texts.length).fill(0), this.proposer);
      const tried = texts.map((ids, i) => neighbours(ids, steepest[i]!));
      yield* this.score(
        tried.flat(),
        tried.flatMap((all, i) => all.map(() => texts[i]!)),
      );
    }
  }

  /** What the population's texts end with at their peaks; random tokens before it where that is too short. */
  private ends(): Int32Array[] {
    const random = this.randomTexts();
    return this.arena.population.niches.members.map(({ ids, peak }) => {
      const text = random();
      const known = Math.min(peak, text.length - 1);
      text.set(ids.subarray(peak + 1 - known, peak + 1), text.length - known);
      return text;
    });
  }

  /** Texts of random tokens behind the start token, or behind whatever else the population's texts begin with. */
  private randomTexts(): () => Int32Array {
    const { subject, random } = this.arena.options;
    const tokens = usableTokens(subject);
    const { positions } = this.proposer.options;
    const starts = this.arena.population.strongest.members.map(({ ids }) => ids[0]!);
    return () => Int32Array.from({ length: positions }, (_, i) => random.pick(i === 0 ? starts : tokens));
  }

  /** @param like - for each text one with a beginning in common */
  private async *score(texts: readonly Int32Array[], like: readonly Int32Array[]): Turns {
    const { arena, batch, strength } = this;
    for (let first = 0; first < texts.length && this.left > 0; first += batch) {
      const end = first + Math.min(batch, this.left);
      const part = texts.slice(first, end);
      this.left -= part.length;
      const before = strength.tokenLayers;
      const z = await strength.score(part, like.slice(first, end));
      for (const [i, ids] of part.entries()) this.offer({ ids, z: z[i]! });
      arena.countScored(part.length, strength.tokenLayers - before);
      yield;
    }
  }

  private offer(trigger: Trigger): void {
    const last = trigger.ids.at(-1)!;
    const present = this.best.get(last);
    if (present && present.z >= trigger.z) return;
    if (this.arena.options.subject.tokenizer.roundTrips(trigger.ids)) this.best.set(last, trigger);
  }

  private get batch(): number {
    return batchOf(this.arena);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.strength.dispose(), this.proposer.dispose()]);
  }
}

/** Each position in turn given each of its tokens, `[positions - 1, count]`. */
function neighbours(ids: Int32Array, tokens: Int32Array): Int32Array[] {
  const count = tokens.length / (ids.length - 1);
  return Array.from(tokens, (token, i) => ids.with(1 + Math.floor(i / count), token));
}
