/**
 * @file What every search method works with: a way to score sequences, the frontier they enter, what it cost.
 *
 * A method knows nothing of events or files: it proposes sequences until it is stopped or `left` is used up.
 */

import { dominates, Frontier, type Point } from '../../core/frontier.js';
import type { Random } from '../../core/random.js';
import type { Engine } from '../../engine/compile.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { CorpusFile } from '../corpus/corpus-text.js';
import { type FluencyModel, sampleFor } from '../fluency/fluency-model.js';
import type { Halves } from '../lm/in-halves.js';
import { splitRows, stackRows } from '../lm/rows.js';
import type { TextSubject } from '../lm/subject.js';
import type { Probe } from '../readouts/probe.js';
import type { Scores } from '../readouts/scores.js';
import { type KnownRow, nothingKnown } from '../sampling/known.js';
import type { Sampler } from '../sampling/sampler.js';
import type { GenerationSize, Made } from './breeding.js';
import { type Candidate, candidateOf } from './candidate.js';
import { type Allowance, Ledger } from './ledger.js';
import { MethodState } from './method-state.js';
import { reachedBy } from './niches.js';
import { type Picked, Population } from './population.js';
import type { Proposals, Proposer } from './proposals.js';
import type { Choose, Parent, Prospect, Screened, Screening } from './scoring.js';
import { SeenRows } from './seen.js';

export interface ArenaOptions extends GenerationSize {
  readonly subject: TextSubject;
  readonly probe: Probe;
  /** Scores children with less work, where there is one. */
  readonly screen?: Screening;
  /** Whether what texts have in common is computed once where a method scores them itself; default: no. */
  readonly sharesPrefixes?: boolean;
  /** What computes the halves of what a method divides itself; default: it divides nothing. */
  readonly engines?: Halves<Engine>;
  /** z of the unit over the prompts it should stay quiet on, the largest; null without such prompts. */
  readonly quiet: number | null;
  /** Draws whole sequences and parts of them anew. */
  readonly sampler: Pick<Sampler, 'sample' | 'rewrite' | 'tokensRead'>;
  readonly proposer: Proposer;
  readonly random: Random;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Sequences scored in one call. */
  readonly batch: number;
  /** How much the softmax-weighted rivals count against the unit, in what methods maximize; default: 0. */
  readonly gamma?: number;
  /** The one weight of the cross entropy, sigmas a nat, of methods that else spread over many. */
  readonly lambda?: number;
  /** Files of natural text to compare with. */
  readonly naturalText?: readonly CorpusFile[];
  /** Weights tuned for the unit, which the method `sample` draws from in the model's place. */
  readonly policy?: WeightSource;
  /** The model whose probability counts as fluency, where it is not the subject. */
  readonly fluency?: FluencyModel;
}

/** Figures that a method reports of itself. */
export type Figures = Readonly<Record<string, number>>;

/** A method's turn ends at each `yield`: there it can be stopped, and progress is reported, with figures if there are. */
export type Turns<Result = void> = AsyncGenerator<Figures | undefined, Result, void>;

export type SearchMethod = (arena: Arena) => Turns;

export class Arena {
  readonly frontier = new Frontier<Candidate>();
  readonly ledger: Ledger;
  /** By operator: what its candidates added to the population's area, nats times sigmas. */
  readonly gains = new Map<string, number>();
  readonly method = new MethodState();
  readonly seen = new SeenRows();
  private bred = new Population();
  private entered: { candidate: Candidate; operator: string }[] = [];

  constructor(
    readonly options: ArenaOptions,
    allowed: Allowance,
  ) {
    this.ledger = new Ledger(allowed);
  }

  get layers(): number {
    return this.options.subject.spec.layers;
  }

  /** What methods breed from: all that was found, unless a method starts anew. */
  get population(): Population {
    return this.bred;
  }

  /** Starts another population, which methods then breed from. Returns the one before. */
  startAnew(): Population {
    const before = this.bred;
    this.bred = new Population();
    return before;
  }

  /**
   * Scores again what an earlier part of the search had found, so that the archive stands as it did. Costs nothing of the
   * budget.
   *
   * @param evaluations - what the earlier part had spent
   */
  async recall(rows: readonly Int32Array[], evaluations: number): Promise<void> {
    const { tokenLayers } = this.ledger;
    await this.evaluate(stackRows(rows), Array(rows.length).fill('earlier'));
    for (const row of rows) this.isNew(row);
    this.ledger.resumeAt(evaluations, tokenLayers);
    this.gains.delete('earlier');
    this.takeEntered();
  }

  /**
   * Scores sequences and lets the frontier have them. Sequences that decoding and encoding would change are not
   * scored, nor are those that the budget does not reach.
   *
   * @param rows - `[count, positions]`
   * @param operators - what made each row
   * @param made - what each row was made from; then rows that could not matter may be left out too
   * @param serves - which rows the method itself could use; default: those that its population could
   * @returns a candidate a row, null where it was not scored
   */
  async evaluate(
    rows: Int32Array,
    operators: readonly string[],
    made?: Made<Parent>,
    serves?: Choose,
  ): Promise<(Candidate | null)[]> {
    const { subject, positions } = this.options;
    const count = rows.length / positions;
    const ids = splitRows(rows, positions);
    const whole = ids.flatMap((row, i) => (subject.tokenizer.roundTrips(row) ? [i] : []));
    this.ledger.lose(count - whole.length);
    const valid = whole.slice(0, this.ledger.left);
    const results: (Candidate | null)[] = Array(count).fill(null);
    if (valid.length === 0) return results;

    const { kept, scores } = await this.score(
      valid.map((i) => ids[i]!),
      made && {
        parents: valid.map((i) => made.parents[i]!),
        ...(made.known && { known: valid.map((i) => made.known![i]!) }),
      },
      (prospects) => this.choose(prospects, serves),
    );
    this.ledger.spend({ evaluations: valid.length });
    for (const [slot, place] of kept.entries()) {
      const i = valid[place]!;
      const candidate = candidateOf(ids[i]!, scores, slot, subject, this.options.quiet);
      results[i] = candidate;
      this.enter(candidate, operators[i]!);
    }
    return results;
  }

  private async score(
    rows: readonly Int32Array[],
    made: Made<Parent> | undefined,
    choose: Choose,
  ): Promise<Screened> {
    const { probe, screen, positions, batch } = this.options;
    if (screen && made) {
      const before = screen.tokenLayers;
      const screened = await screen.score(rows, made.parents, choose, made.known);
      this.ledger.spend({ tokenLayers: screen.tokenLayers - before });
      return screened;
    }
    const scored = await probe.score(stackRows(rows), positions, batch);
    this.ledger.spend({ tokenLayers: rows.length * positions * this.layers });
    return { kept: [...rows.keys()], scores: await this.withFluency(scored, rows) };
  }

  /** Which children could enter the frontier or serve the method. */
  private choose(all: readonly Prospect[], serves: Choose | undefined): boolean[] {
    const { quiet } = this.options;
    const hushed = (point: Point): Point =>
      quiet === null ? point : { ...point, margin: Math.min(point.margin ?? Infinity, point.z - quiet) };
    const prospects = all.map((one) => ({ ...one, best: hushed(one.best), worst: hushed(one.worst) }));
    const served = serves?.(prospects);
    const reached = reachedBy(prospects);
    return prospects.map((prospect, i) => {
      const isBeaten = prospects.some((other) => isSurelyBetter(other, prospect));
      const enters = !isBeaten && this.frontier.wouldKeep(prospect.best);
      return enters || (served ? served[i]! : this.population.couldTake(prospect, isBeaten, reached));
    });
  }

  /** Scores with the cross entropy of the model that counts. */
  private async withFluency(scores: Scores, rows: readonly Int32Array[]): Promise<Scores> {
    const { fluency, subject } = this.options;
    if (!fluency) return scores;
    const before = fluency.tokenLayers;
    const crossEntropy = await fluency.crossEntropy(rows.map((ids) => subject.tokenizer.decode(ids)));
    this.ledger.spend({ tokenLayers: fluency.tokenLayers - before });
    return { ...scores, crossEntropy };
  }

  private enter(candidate: Candidate, operator: string): void {
    const gain = this.population.add(candidate);
    this.gains.set(operator, (this.gains.get(operator) ?? 0) + gain);
    if (this.frontier.add(candidate)) this.entered.push({ candidate, operator });
  }

  /** True the first time a sequence is asked about. */
  isNew(row: Int32Array): boolean {
    const isNew = this.seen.add(row);
    if (!isNew) this.ledger.lose(1);
    return isNew;
  }

  /** Sequences from the prior, `[count, positions]`. @param known - one per row: what drawing finds out about it */
  async samplePrior(count: number, known?: readonly KnownRow[]): Promise<Int32Array> {
    const { sampler, positions, random, fluency, subject } = this.options;
    if (fluency) {
      const before = fluency.tokenLayers;
      const encode = (text: string) => subject.tokenizer.encode(text);
      const rows = await sampleFor(fluency, count, positions, encode, random);
      this.ledger.spend({ tokenLayers: fluency.tokenLayers - before });
      return rows;
    }
    const before = sampler.tokensRead;
    const rows = await sampler.sample(count, random, 1, known);
    this.countTokens(sampler.tokensRead - before);
    return rows;
  }

  /** Draws sequences from the prior and scores those that could matter. */
  async evaluatePrior(count: number): Promise<void> {
    const known = Array.from({ length: count }, () => nothingKnown(this.options.positions));
    const rows = await this.samplePrior(count, known);
    await this.evaluate(rows, Array(count).fill('prior'), { parents: Array(count).fill(null), known });
  }

  /** Parents from the population, which is not empty. */
  pick(count: number): Picked<Candidate>[] {
    return Array.from({ length: count }, () => this.population.pick(this.options.random)!);
  }

  /** What to try in some candidates; see `Proposer`. */
  propose(parents: readonly Candidate[], gammas: readonly number[]): Promise<Proposals[]> {
    const { proposer } = this.options;
    const rows = stackRows(parents.map(({ ids }) => ids));
    return this.withGradients(gammas.length, proposer, () => proposer.propose(rows, gammas));
  }

  /** The steepest tokens of some sequences; see `Proposer`. Of sequences of another length, another proposer's. */
  steepest(
    rows: readonly Int32Array[],
    lambdas: readonly number[],
    proposer = this.options.proposer,
  ): Promise<Int32Array[]> {
    return this.withGradients(rows.length, proposer, () => proposer.steepest(rows, lambdas));
  }

  /** A sequence's gradient counts as two evaluations, and as token-layers what was computed. */
  private async withGradients<T>(sequences: number, proposer: Proposer, work: () => Promise<T>): Promise<T> {
    const before = proposer.tokenLayers;
    const result = await work();
    this.ledger.spend({ evaluations: 2 * sequences, tokenLayers: proposer.tokenLayers - before });
    return result;
  }

  /** Counts passes of a gradient that a method computes itself: each sequence as two evaluations. */
  countGradients(sequences: number): void {
    this.ledger.spend({
      evaluations: 2 * sequences,
      tokenLayers: 2 * sequences * this.options.positions * this.layers,
    });
  }

  /** Counts sequences that a method scores itself, no further than to a layer. */
  countScored(sequences: number, tokenLayers: number): void {
    this.ledger.spend({ evaluations: sequences, tokenLayers });
  }

  /** Counts sequences that a method drew and that need not be scored, up to what is left. */
  countDrawn(sequences: number): void {
    this.ledger.spend({ evaluations: Math.min(this.ledger.left, sequences) });
  }

  /** Counts tokens that were read or drawn with a key-value cache. */
  countTokens(tokens: number): void {
    this.ledger.spend({ tokenLayers: tokens * this.layers });
  }

  /** What entered the frontier since the last call. */
  takeEntered(): { candidate: Candidate; operator: string }[] {
    const entered = this.entered;
    this.entered = [];
    return entered;
  }
}

const isSurelyBetter = (a: Prospect, b: Prospect) =>
  dominates(a.worst, b.best) && !dominates(b.best, a.worst);
