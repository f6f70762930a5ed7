/**
 * @file Why texts excite units, for very many pairs of both: the evidence of `readouts/explain.ts`, from graphs that
 * read all units at once, so that nothing is compiled for a unit of its own.
 */
import type { Explanation, TokenValue } from '../../core/explanation.js';
import { OnDemand } from '../../core/on-demand.js';
import type { Compiled } from '../../engine/compile.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { padRows, stackRows } from '../lm/rows.js';
import { RIVALS_REPORTED } from '../readouts/explain.js';
import { readLogits } from '../readouts/written-logits.js';
import { compileAtlasReading, compileWriting, ownGroups } from './evidence-graphs.js';
import type { Panel } from './panel.js';
import type { PanelScores } from './panel-scores.js';
import type { PanelUnit } from './panel-units.js';

/** A text and a unit that it excites. */
export interface Pair {
  readonly unit: PanelUnit;
  /** `[positions]`, BOS in front; of one length in a call. */
  readonly ids: Int32Array;
}

/** Texts read in one call, and variants of them. */
const READ = 16;
const VARIANTS = 128;

export class EvidenceReader {
  private readonly programs = new OnDemand<string, Compiled>();
  /** By key, which of the outputs of `compileAtlasReading` are a group's. */
  private readonly numbers: ReadonlyMap<string, number>;

  /** @param replacements - tokens that stand in each token's place in turn */
  constructor(
    private readonly panel: Panel,
    private readonly replacements: number,
  ) {
    this.numbers = new Map(ownGroups(panel).map(({ key }, i) => [key, i]));
  }

  /** What each text does to its unit, without what is tried in it and what the unit writes. */
  async read(pairs: readonly Pair[]): Promise<Explanation[]> {
    return (await this.readAll(pairs)).map(({ explanation }) => explanation);
  }

  /** The same with replacements of each token, and the logits that the unit writes at its peak. */
  async explain(pairs: readonly Pair[]): Promise<Explanation[]> {
    const read = await this.readAll(pairs);
    await this.substitute(read);
    await this.addLogits(read);
    return read.map(({ explanation }) => explanation);
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }

  private get proposals(): number {
    const { subject } = this.panel.options;
    return Math.max(1, Math.min(this.replacements + 1, subject.spec.vocab - subject.excluded().length));
  }

  private async readAll(pairs: readonly Pair[]): Promise<ReadPair[]> {
    const found: ReadPair[] = [];
    const texts = distinct(pairs);
    const positions = pairs[0]?.ids.length ?? 0;
    const batch = this.panel.batchOf(READ, positions);
    for (let start = 0; start < texts.length; start += batch) {
      const part = texts.slice(start, start + batch);
      const ids = padRows(stackRows(part.map(({ ids }) => ids)), batch, positions);
      const program = await this.programs.get(`reading ${positions}`, () =>
        compileAtlasReading(this.panel, batch, positions, this.proposals),
      );
      const read = await program.run({ ids });
      for await (const scores of this.panel.score(ids, positions, batch))
        for (const [row, { pairs: own }] of part.entries())
          for (const index of own) found[index] = this.pairOf(pairs[index]!, read, scores, row);
    }
    return found;
  }

  private pairOf(
    pair: Pair,
    read: Readonly<Record<string, TypedArray>>,
    scores: PanelScores,
    row: number,
  ): ReadPair {
    const { unit, ids } = pair;
    const { at, subject } = this.panel.options;
    const positions = ids.length;
    const { size, key } = unit.part.group;
    const number = this.numbers.get(key)!;
    const values = (name: string) =>
      Array.from(ids, (_, pos) => read[`${name} ${number}`]![(row * positions + pos) * size + unit.index]!);
    const [z, raw] = [values('z'), values('raw')];
    const position = z.reduce((best, value, i) => (i > 0 && value > z[best]! ? i : best), 1);
    const logProbs = Array.from(read.logProbs!.subarray(row * (positions - 1), (row + 1) * (positions - 1)));
    const score = scores.z(unit, row);
    const rivals = [...scores.rivals(unit, row)].sort((a, b) => b.z - a.z);
    const proposed = read.proposed!.subarray(
      row * (positions - 1) * this.proposals,
      (row + 1) * (positions - 1) * this.proposals,
    ) as Int32Array;
    return {
      pair,
      proposed,
      explanation: {
        unit: unit.name,
        text: subject.tokenizer.decode(ids),
        tokens: Array.from(ids, (id) => subject.tokenizer.tokenString(id)),
        token_ids: Array.from(ids),
        logprobs: [null, ...logProbs],
        raw,
        z: [null, ...z.slice(1)],
        peak: { position, raw: raw[position]!, z: z[position]! },
        score: at === 'max' ? z[position]! : score,
        cross_entropy: -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length,
        margin: rivals.length === 0 ? null : score - rivals[0]!.z,
        rank: rivals.length === 0 ? null : 1 + rivals.filter((rival) => rival.z > score).length,
        rivals: rivals.slice(0, RIVALS_REPORTED),
        attention: attentionOf(unit, number, read, row, positions, position),
        logits: null,
        substitutions: tokensNone(positions),
        ablation: null,
      },
    };
  }

  /** z with likely other tokens in each token's place; variants of a text are scored once for all of its units. */
  private async substitute(read: readonly ReadPair[]): Promise<void> {
    const { tokenizer } = this.panel.options.subject;
    const variants: { readonly ids: Int32Array; readonly position: number; readonly of: ReadPair[] }[] = [];
    for (const { pairs: own } of distinct(read.map(({ pair }) => pair))) {
      const of = own.map((index) => read[index]!);
      const { pair, proposed } = of[0]!;
      for (let position = 1; position < pair.ids.length; position++) {
        const listed = proposed.subarray((position - 1) * this.proposals, position * this.proposals);
        const others = Array.from(listed).filter((id) => id !== pair.ids[position]);
        for (const id of others.slice(0, this.replacements))
          variants.push({ ids: pair.ids.with(position, id), position, of });
      }
    }
    if (variants.length === 0) return;
    const rows = stackRows(variants.map(({ ids }) => ids));
    let next = 0;
    for await (const scores of this.panel.score(rows, variants[0]!.ids.length, VARIANTS, false))
      for (let row = 0; row < scores.rows; row++) {
        const { ids, position, of } = variants[next++]!;
        const token = tokenizer.tokenString(ids[position]!);
        for (const { pair, explanation } of of)
          explanation.substitutions[position]!.push({ token, value: scores.z(pair.unit, row) });
      }
  }

  private async addLogits(read: readonly ReadPair[]): Promise<void> {
    const { panel } = this;
    const { tokenizer } = panel.options.subject;
    const writing = read.filter(({ pair }) => pair.unit.part.group.effect);
    const positions = writing[0]?.pair.ids.length ?? 0;
    const batch = panel.batchOf(READ, positions);
    for (let start = 0; start < writing.length; start += batch) {
      const part = writing.slice(start, start + batch);
      const own = new Float32Array(batch * panel.columns);
      const peak = new Float32Array(batch * positions);
      for (const [row, { pair, explanation }] of part.entries()) {
        own[row * panel.columns + pair.unit.part.offset + pair.unit.index] = 1;
        peak[row * positions + explanation.peak.position] = 1;
      }
      const program = await this.programs.get(
        `writing ${positions}`,
        () => compileWriting(panel, batch, positions)!,
      );
      const ids = padRows(stackRows(part.map(({ pair }) => pair.ids)), batch, positions);
      const written = await program.run({ ids, own, peak });
      for (const [row, { explanation }] of part.entries())
        explanation.logits = readLogits(written, tokenizer, row, batch);
    }
  }
}

interface ReadPair {
  readonly pair: Pair;
  readonly explanation: Explanation;
  /** Likely tokens for positions 1 and on, `[positions - 1, proposals]`. */
  readonly proposed: Int32Array;
}

/** From the peak: the pattern, and the norm of what each source brought; null for units that do not look. */
function attentionOf(
  { part: { group }, index }: PanelUnit,
  number: number,
  read: Readonly<Record<string, TypedArray>>,
  row: number,
  positions: number,
  peak: number,
): Explanation['attention'] {
  const pattern = read[`pattern ${number}`];
  const brought = read[`brought ${number}`];
  if (!pattern || !brought) return null;
  const unit = row * group.size + index;
  const from = (unit * positions + peak) * positions;
  const weight = Array.from(pattern.subarray(from, from + positions));
  return { weight, contribution: weight.map((share, k) => share * brought[unit * positions + k]!) };
}

const tokensNone = (positions: number): TokenValue[][] => Array.from({ length: positions }, () => []);

/** Each text once, with the pairs that it is in. */
function distinct(pairs: readonly Pair[]): { readonly ids: Int32Array; readonly pairs: number[] }[] {
  const texts = new Map<string, { ids: Int32Array; pairs: number[] }>();
  for (const [i, { ids }] of pairs.entries()) {
    const key = ids.join();
    const text = texts.get(key) ?? { ids, pairs: [] };
    texts.set(key, text);
    text.pairs.push(i);
  }
  return [...texts.values()];
}
