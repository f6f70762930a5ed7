/**
 * @file Scoring many children of a few parents: what stands before a child's first change was computed with its parent,
 * and is taken from there. Saves about half of the work where changes fall anywhere.
 */

import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { type CallSize, pack } from '../lm/packing.js';
import type { Probe } from '../readouts/probe.js';
import { type Scores, toScores } from '../readouts/scores.js';
import { callSizes, PackedChildren, packedInputs } from './packed-children.js';
import { ParentRows } from './parent-rows.js';

export interface SharedPrefixesOptions {
  readonly probe: Probe;
  readonly positions: number;
  /** Parents read in one call. */
  readonly parents: number;
  /** Tokens of children computed in one call, at most. */
  readonly tokens: number;
}

export class SharedPrefixes {
  private readonly parents: ParentRows;
  private childLayers = 0;
  /** By size of a call; the last call of a turn is mostly small. */
  private readonly graphs = new OnDemand<CallSize, Compiled>();
  private readonly sizes: readonly CallSize[];

  /** The probe must be of the engine `onnx`. */
  constructor(private readonly options: SharedPrefixesOptions) {
    const { probe, positions, parents, tokens } = options;
    this.parents = new ParentRows(probe, positions, parents);
    this.sizes = callSizes(tokens, positions, 2);
  }

  /** Token positions times layers computed so far, of parents and children. */
  get tokenLayers(): number {
    return this.parents.tokenLayers + this.childLayers;
  }

  /**
   * @param children - `[positions]` each
   * @param parents - a child's parent, `[positions]`: any sequence, best one with a long beginning in common
   */
  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const { layers } = this.options.probe.options.subject.spec;
    const columns: Record<string, TypedArray> = {};
    for await (const { own, described, read, release } of this.parents.batches(children, parents)) {
      for (const { size, children: part, ...inputs } of pack(described, this.options.parents, this.sizes)) {
        this.childLayers += size.tokens * layers;
        const graph = await this.graphs.get(size, () => this.compile(size));
        const result = await graph.run({ ...inputs, ...read });
        const numbers = part.map((i) => own[i]!);
        for (const [name, values] of Object.entries(result))
          place(columns, name, values, numbers, children.length);
      }
      release();
    }
    return toScores(columns);
  }

  async dispose(): Promise<void> {
    await this.parents.dispose();
    await this.graphs.dispose();
  }

  private async compile(size: CallSize): Promise<Compiled> {
    const { probe } = this.options;
    const { spec } = probe.options.subject;
    return compile(
      (inputs, lookup) => {
        const children = new PackedChildren(spec, size, inputs, lookup);
        return { ...probe.unitScores(lookup, children.whole), crossEntropy: children.crossEntropy() };
      },
      {
        ...probe.compiling,
        // Position 0, where rows are of another size than elsewhere, is the parents'.
        evenRows: true,
        packed: size === this.sizes.at(-1),
        inputs: { ...packedInputs(size), ...(await this.parents.inputs()) },
      },
    );
  }
}

/** Puts the first values into a column at some numbers. @param count - length of the column */
export function place(
  columns: Record<string, TypedArray>,
  name: string,
  values: TypedArray,
  numbers: readonly number[],
  count: number,
): void {
  columns[name] ??= values instanceof Int32Array ? new Int32Array(count) : new Float32Array(count);
  for (const [i, number] of numbers.entries()) columns[name]![number] = values[i]!;
}
