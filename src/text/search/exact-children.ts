/**
 * @file Children that are scored behind what they have in common with texts that were scored here before: a search's parents
 * are among them, so that next to nothing is computed twice.
 */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { type CallSize, pack } from '../lm/packing.js';
import { firstChange } from '../lm/rows.js';
import { type Scores, toScores } from '../readouts/scores.js';
import { KeptRows, type TextRows } from './kept-rows.js';
import { callSizes, PackedChildren, packedInputs } from './packed-children.js';
import { type Families, familiesOf, ParentRows } from './parent-rows.js';
import type { Scorer } from './scoring.js';
import { place, type SharedPrefixesOptions } from './shared-prefixes.js';

/** Bytes of rows that are kept: some two hundred texts of 12 tokens of a model of 135 million parameters. */
const KEPT = 128 * 2 ** 20;
/** Sizes of a call: few children are left after ranking, and float32 costs by the token. */
const SIZES = 10;
/** A call that reads a parent takes as long as so many times its tokens more in a call of children. */
const READING = 4;

export class ExactChildren implements Scorer {
  private readonly parents: ParentRows;
  private readonly kept = new KeptRows(KEPT);
  private readonly graphs = new OnDemand<CallSize, Compiled>();
  private readonly sizes: readonly CallSize[];
  private childLayers = 0;

  /** The probe must be of the engine `onnx`. */
  constructor(private readonly options: SharedPrefixesOptions) {
    const { probe, positions, tokens } = options;
    this.parents = new ParentRows(probe, positions, 1);
    this.sizes = callSizes(tokens, positions, SIZES);
  }

  get tokenLayers(): number {
    return this.parents.tokenLayers + this.childLayers;
  }

  /** As of `SharedPrefixes`. */
  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const columns: Record<string, TypedArray> = {};
    const begun = this.begunBy(children, parents);
    for (const families of familiesOf(children, begun, this.options.parents))
      await this.scoreSome(families, columns, children.length);
    return toScores(columns);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.parents.dispose(), this.graphs.dispose()]);
  }

  /**
   * What each child begins like, to be read or kept: its parent, or where reading that for a few children would take longer, a
   * kept parent of others, with which it has at least the start token in common.
   */
  private begunBy(children: readonly Int32Array[], parents: readonly Int32Array[]): Int32Array[] {
    const distinct = [...new Set(parents)];
    const kept = distinct.filter((parent) => this.kept.of(parent));
    const like = (child: Int32Array) =>
      kept.reduce((a, b) => (firstChange(child, b) > firstChange(child, a) ? b : a));
    const begun = [...parents];
    for (const parent of distinct.filter((one) => !kept.includes(one))) {
      const own = [...parents.keys()].filter((child) => parents[child] === parent);
      const tokens = (of: (child: Int32Array) => Int32Array) =>
        own.reduce((sum, i) => sum + firstChange(children[i]!, of(children[i]!)), 0);
      const pays = () => tokens(() => parent) - tokens(like) > READING * this.options.positions;
      if (kept.length === 0 || pays()) kept.push(parent);
      else for (const i of own) begun[i] = like(children[i]!);
    }
    return begun;
  }

  /** @param columns - where the scores go, of `count` children */
  private async scoreSome(
    { own, described, parents }: Families,
    columns: Record<string, TypedArray>,
    count: number,
  ): Promise<void> {
    const { probe, positions, parents: most } = this.options;
    const known: TextRows[] = [];
    for (const parent of parents) known.push(await this.rowsOf(parent));
    const read = stacked(known, most);
    for (const { size, children: part, ...inputs } of pack(described, most, this.sizes)) {
      this.childLayers += size.tokens * probe.options.subject.spec.layers;
      const graph = await this.graphs.get(size, () => this.compile(size));
      const result = await graph.run({ ...inputs, ...read });
      const numbers = part.map((i) => own[i]!);
      for (const [name, values] of Object.entries(result))
        if (!name.startsWith(OWN)) place(columns, name, values, numbers, count);
      let token = 0;
      for (const { ids, parent, parentIndex } of part.map((i) => described[i]!)) {
        const change = firstChange(ids, parent);
        const rows = Object.entries(known[parentIndex]!).map(([name, before]) => {
          const width = before.length / positions;
          const joined = before.slice();
          const after = result[OWN + name] as Float32Array;
          joined.set(after.subarray(token * width, (token + positions - change) * width), change * width);
          return [name, joined] as const;
        });
        this.kept.add(ids, Object.fromEntries(rows));
        token += positions - change;
      }
    }
  }

  private async rowsOf(text: Int32Array): Promise<TextRows> {
    const found = this.kept.of(text);
    if (found) return found;
    const read = (await this.parents.values([text])) as TextRows;
    this.kept.add(text, read);
    return read;
  }

  private async compile(size: CallSize): Promise<Compiled> {
    const { probe, positions, parents } = this.options;
    const { spec } = probe.options.subject;
    const ofOne = await this.parents.inputs();
    const ofParents = Object.entries(ofOne).map(([name, { shape, ...rest }]) => {
      return [name, { shape: [parents * positions, ...shape.slice(1)], ...rest }] as const;
    });
    return compile(
      (inputs, lookup) => {
        const children = new PackedChildren(spec, size, inputs, lookup);
        const own = Object.entries(children.rows(this.parents.places));
        return {
          ...probe.unitScores(lookup, children.whole),
          crossEntropy: children.crossEntropy(),
          ...Object.fromEntries(own.map(([name, rows]) => [OWN + name, rows])),
        };
      },
      { ...probe.compiling, inputs: { ...packedInputs(size), ...Object.fromEntries(ofParents) } },
    );
  }
}

/** In front of the names of rows that a call gives, which are those of the parents'. */
const OWN = 'own ';

/** Rows of some texts one after the other, with room for `most`. */
function stacked(texts: readonly TextRows[], most: number): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(texts[0]!).map(([name, first]) => {
      const all = new Float32Array(most * first.length);
      for (const [i, rows] of texts.entries()) all.set(rows[name]!, i * first.length);
      return [name, all];
    }),
  );
}
