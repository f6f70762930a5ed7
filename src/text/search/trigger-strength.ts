/** @file How strongly short texts excite the unit at their ends, nothing else: they are read no further than it needs. */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import { distinct, type Halves, scoredInHalves, sumOver } from '../lm/in-halves.js';
import { type CallSize, pack } from '../lm/packing.js';
import { padRows, stackRows } from '../lm/rows.js';
import { forward } from '../lm/transformer.js';
import type { Probe } from '../readouts/probe.js';
import { callSizes, PackedChildren, packedInputs } from './packed-children.js';
import { ParentRows } from './parent-rows.js';

export interface Strength {
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  /**
   * @param texts - `[positions]` each
   * @param like - for each a text with a beginning in common
   * @returns z, one a text
   */
  score(texts: readonly Int32Array[], like: readonly Int32Array[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Every text from its first token on. */
export class WholeStrength implements Strength {
  tokenLayers = 0;
  private readonly programs = new OnDemand<'strength', Compiled>();

  /** @param batch - texts of a call */
  constructor(
    private readonly probe: Probe,
    private readonly positions: number,
    private readonly batch: number,
  ) {}

  async score(texts: readonly Int32Array[]): Promise<Float32Array> {
    const { positions, batch, probe } = this;
    const program = await this.programs.get('strength', () => this.compile());
    const z = new Float32Array(texts.length);
    for (let first = 0; first < texts.length; first += batch) {
      const part = texts.slice(first, first + batch);
      const scored = await program.run({ ids: padRows(stackRows(part), batch, positions) });
      z.set(scored.z!.subarray(0, part.length), first);
    }
    this.tokenLayers += texts.length * positions * probe.layers;
    return z;
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }

  private compile(): Promise<Compiled> {
    const { positions, batch, probe } = this;
    const { spec } = probe.options.subject;
    return compile(
      (inputs, weights) => ({ z: probe.unitZ(weights, forward(spec, weights, { ids: inputs.ids! })) }),
      { ...probe.compiling, inputs: { ids: { shape: [batch, positions], dtype: 'int32' } } },
    );
  }
}

/** Texts in two halves, side by side. */
export class StrengthPair implements Strength {
  constructor(private readonly pair: Halves<Strength>) {}

  get tokenLayers(): number {
    return sumOver(this.pair, ({ tokenLayers }) => tokenLayers);
  }

  async score(texts: readonly Int32Array[], like: readonly Int32Array[]): Promise<Float32Array> {
    const z = new Float32Array(texts.length);
    const parts = await scoredInHalves(this.pair, texts, like);
    for (const { rows, result } of parts) for (const [i, row] of rows.entries()) z[row] = result[i]!;
    return z;
  }

  async dispose(): Promise<void> {
    await Promise.all(distinct(this.pair).map((one) => one.dispose()));
  }
}

/** Parents read in one call: neighbours of a text follow one another. */
const PARENTS = 2;

/** Of every text what comes from its first difference on. */
export class ChangedStrength implements Strength {
  private readonly parents: ParentRows;
  private ownLayers = 0;
  private readonly graphs = new OnDemand<CallSize, Compiled>();
  private readonly sizes: readonly CallSize[];

  /**
   * The probe must be of the engine `onnx`.
   *
   * @param tokens - of a call, at most
   */
  constructor(
    private readonly probe: Probe,
    positions: number,
    tokens: number,
  ) {
    this.parents = new ParentRows(probe, positions, PARENTS, probe.layers);
    this.sizes = callSizes(tokens, positions, 2);
  }

  get tokenLayers(): number {
    return this.parents.tokenLayers + this.ownLayers;
  }

  async score(texts: readonly Int32Array[], like: readonly Int32Array[]): Promise<Float32Array> {
    const z = new Float32Array(texts.length);
    for await (const { own, described, read, release } of this.parents.batches(texts, like)) {
      for (const { size, children, ...inputs } of pack(described, PARENTS, this.sizes)) {
        this.ownLayers += size.tokens * this.probe.layers;
        const graph = await this.graphs.get(size, () => this.compile(size));
        const scored = await graph.run({ ...inputs, ...read });
        for (const [slot, i] of children.entries()) z[own[i]!] = scored.z![slot]!;
      }
      release();
    }
    return z;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.parents.dispose(), this.graphs.dispose()]);
  }

  private async compile(size: CallSize): Promise<Compiled> {
    const { probe } = this;
    const { spec } = probe.options.subject;
    return compile(
      (inputs, lookup) => ({
        z: probe.unitZ(lookup, new PackedChildren(spec, size, inputs, lookup).whole),
      }),
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
