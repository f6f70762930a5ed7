/**
 * @file The unit first: all children are read as far as the unit and its rivals need, and only those that could matter
 * are read to the end, for their cross entropy. How probable a child is is guessed before: what it has in common with
 * its parent and its first change are known exactly, what the sampler wrote is known nearly, and the rest is taken for
 * as probable as in the parent.
 */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { type CallSize, pack } from '../lm/packing.js';
import { firstChange } from '../lm/rows.js';
import type { TransformerSpec } from '../lm/spec.js';
import { finalNorm, tokenLogits } from '../lm/unembed.js';
import type { Probe } from '../readouts/probe.js';
import { type Scores, toScores } from '../readouts/scores.js';
import type { KnownRow } from '../sampling/known.js';
import type { Judge, Judged } from './judge.js';
import { callSizes, PackedChildren, packedInputs } from './packed-children.js';
import { type ChildBatch, lastStream, ParentRows } from './parent-rows.js';
import type { Opinion } from './rough-errors.js';
import { likeChildren, type Parent } from './scoring.js';
import { place, type SharedPrefixesOptions } from './shared-prefixes.js';

/** Less than this share of the layers saved is not worth a second call. */
const LEAST_SAVED = 1 / 4;

/** Whether the unit and its rivals are far enough from the last layer. */
export function endsEarly(probe: Probe): boolean {
  const { layers } = probe.options.subject.spec;
  return probe.depth <= (1 - LEAST_SAVED) * layers;
}

/** Sizes of calls: those of the second part have few children. */
const PARTS = 4;

/** Children between the two parts. */
interface BegunChildren {
  readonly batches: readonly ChildBatch[];
  /** By child, the stream of its tokens before the layer at which they go on, `[tokens, dModel]`. */
  readonly streams: readonly Float32Array[];
  /** What is known of the unit and its rivals, by child. */
  readonly columns: Readonly<Record<string, TypedArray>>;
}

export class UnitFirst implements Judge {
  private readonly parents: ParentRows;
  private childLayers = 0;
  private readonly firstGraphs = new OnDemand<CallSize, Compiled>();
  private readonly lastGraphs = new OnDemand<CallSize, Compiled>();
  private readonly sizes: readonly CallSize[];
  private readonly spec: TransformerSpec;
  /** The layer at which children go on that are read to the end. */
  private readonly layer: number;

  /** The probe must be of the engine `onnx`. */
  constructor(private readonly options: SharedPrefixesOptions) {
    const { probe, positions, parents, tokens } = options;
    this.parents = new ParentRows(probe, positions, parents);
    this.sizes = callSizes(tokens, positions, PARTS);
    this.spec = probe.options.subject.spec;
    this.layer = Math.max(0, probe.depth - 1);
  }

  get tokenLayers(): number {
    return this.parents.tokenLayers + this.childLayers;
  }

  async judge(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    known?: readonly KnownRow[],
  ): Promise<Judged> {
    const batches: ChildBatch[] = [];
    const streams: Float32Array[] = [];
    const columns: Record<string, TypedArray> = {};
    const rows = likeChildren(children, parents);
    const guesses: { crossEntropy: number; isKnown: boolean }[] = [];
    for await (const batch of this.parents.batches(children, rows)) {
      batches.push(batch);
      await this.readUnit(batch, children.length, columns, streams);
      const logProbs = (await batch.read.logProbs!.read()) as Float32Array; // [parents * positions]
      for (const [i, child] of batch.own.entries()) {
        const { ids, parent, parentIndex } = batch.described[i]!;
        const ofParent = logProbs.subarray(parentIndex * ids.length, (parentIndex + 1) * ids.length);
        const change = columns.change![child]!;
        guesses[child] = guess(firstChange(ids, parent), ofParent, change, known?.[child]?.logProbs);
      }
    }
    const scores = toScores({ ...columns, crossEntropy: new Float32Array(children.length) });
    const opinions = children.map((ids, child): Opinion => {
      const { crossEntropy, isKnown } = guesses[child]!;
      return {
        point: {
          cross_entropy: crossEntropy,
          z: scores.z[child]!,
          margin: scores.rivals?.margin[child] ?? null,
        },
        peakToken: ids[scores.peak[child]!]!,
        kind: isKnown ? 'written' : 'guessed',
      };
    });
    return {
      opinions,
      finish: (rows) => this.finish({ batches, streams, columns }, rows),
      release: () => {
        for (const { release } of batches) release();
      },
    };
  }

  async dispose(): Promise<void> {
    await Promise.all([this.parents.dispose(), this.firstGraphs.dispose(), this.lastGraphs.dispose()]);
  }

  /** The first part of a batch's children: writes their columns and streams. */
  private async readUnit(
    { own, described, parents, read }: ChildBatch,
    count: number,
    columns: Record<string, TypedArray>,
    streams: Float32Array[],
  ): Promise<void> {
    const { positions } = this.options;
    for (const { size, children, ...inputs } of pack(described, this.options.parents, this.sizes)) {
      this.childLayers += size.tokens * (this.layer + 1);
      const graph = await this.firstGraphs.get(size, () => this.compileFirst(size));
      const now = new Int32Array(size.sequences);
      const [was, before] = [now.slice(), now.slice()];
      const changes = children.map((i) => firstChange(described[i]!.ids, described[i]!.parent));
      for (const [slot, i] of children.entries()) {
        const { ids, parentIndex } = described[i]!;
        const at = changes[slot]!;
        now[slot] = ids[at]!;
        was[slot] = parents[parentIndex]![at]!;
        before[slot] = parentIndex * positions + Math.max(0, at - 1);
      }
      const { stream, ...values } = await graph.run({ ...inputs, now, was, before, ...read });
      const numbers = children.map((i) => own[i]!);
      for (const [name, column] of Object.entries(values)) place(columns, name, column, numbers, count);
      let token = 0;
      for (const [slot, number] of numbers.entries()) {
        const end = token + positions - changes[slot]!;
        streams[number] = (stream as Float32Array).subarray(token * this.spec.dModel, end * this.spec.dModel);
        token = end;
      }
    }
  }

  /** The second part of some children. */
  private async finish(
    { batches, streams, columns }: BegunChildren,
    rows: readonly number[],
  ): Promise<Scores> {
    const wanted = new Set(rows);
    const crossEntropy = new Float32Array(streams.length);
    for (const { own, described, read } of batches) {
      const chosen = own.flatMap((child, i) => (wanted.has(child) ? [i] : []));
      const part = chosen.map((i) => described[i]!);
      for (const { size, children, ...inputs } of pack(part, this.options.parents, this.sizes)) {
        this.childLayers += size.tokens * (this.spec.layers - this.layer);
        const graph = await this.lastGraphs.get(size, () => this.compileLast(size));
        const stream = new Float32Array(size.tokens * this.spec.dModel);
        let at = 0;
        for (const i of children) {
          const begun = streams[own[chosen[i]!]!]!;
          stream.set(begun, at);
          at += begun.length;
        }
        // As `pack` does with tokens that are left over.
        for (; at < stream.length; at += this.spec.dModel) stream.copyWithin(at, 0, this.spec.dModel);
        const result = await graph.run({ ...inputs, stream, ...read });
        for (const [slot, i] of children.entries())
          crossEntropy[own[chosen[i]!]!] = result.crossEntropy![slot]!;
      }
    }
    const all: Record<string, TypedArray> = { ...columns, crossEntropy };
    return toScores(
      Object.fromEntries(
        Object.entries(all).map(([name, column]) => {
          const part = rows.map((row) => column[row]!);
          return [name, column instanceof Int32Array ? Int32Array.from(part) : Float32Array.from(part)];
        }),
      ),
    );
  }

  private async compileFirst(size: CallSize): Promise<Compiled> {
    const { spec, layer } = this;
    const { probe } = this.options;
    const perSequence = { shape: [size.sequences], dtype: 'int32' } as const;
    return compile(
      (inputs, lookup) => {
        const children = new PackedChildren(spec, size, inputs, lookup);
        const stream = tf.gather(inputs[lastStream(spec)]!, inputs.before as tf.Tensor1D);
        const hidden = finalNorm(spec, lookup, stream);
        const logit = (ids: tf.Tensor) => tokenLogits(spec, lookup, hidden, ids);
        return {
          ...probe.unitScores(lookup, children.whole),
          change: tf.sub(logit(inputs.now!), logit(inputs.was!)),
          stream: children.streamBefore(layer),
        };
      },
      {
        ...probe.compiling,
        inputs: {
          ...packedInputs(size),
          now: perSequence,
          was: perSequence,
          before: perSequence,
          ...(await this.parents.inputs()),
        },
      },
    );
  }

  private async compileLast(size: CallSize): Promise<Compiled> {
    const { spec, layer } = this;
    return compile(
      (inputs, lookup) => {
        const begun = { layer, stream: inputs.stream! };
        return { crossEntropy: new PackedChildren(spec, size, inputs, lookup, begun).crossEntropy() };
      },
      {
        ...this.options.probe.compiling,
        inputs: {
          ...packedInputs(size),
          stream: { shape: [size.tokens, spec.dModel] },
          ...(await this.parents.inputs()),
        },
      },
    );
  }
}

/**
 * A child's cross entropy, and whether every token of it is known.
 *
 * @param at - its first change
 * @param ofParent - ln p of the parent's tokens, `[positions]`
 * @param change - by how much ln p of the token at `at` is more than that of the parent's
 * @param written - ln p of what the sampler wrote or passed, NaN elsewhere; `[positions]`
 */
function guess(
  at: number,
  ofParent: Float32Array,
  change: number,
  written: Float32Array | undefined,
): { crossEntropy: number; isKnown: boolean } {
  let sum = 0;
  let isKnown = at > 0;
  for (let t = 1; t < ofParent.length; t++) {
    const own = written?.[t] ?? Number.NaN;
    if (t <= at) sum += ofParent[t]! + (t === at ? change : 0);
    else if (Number.isNaN(own)) [sum, isKnown] = [sum + ofParent[t]!, false];
    else sum += own;
  }
  return { crossEntropy: -sum / (ofParent.length - 1), isKnown };
}
