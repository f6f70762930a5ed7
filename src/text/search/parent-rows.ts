/** @file What children are computed from: all that is needed of their parents' positions, read once for all of them. */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TensorSpec, TypedArray } from '../../engine/tensor-spec.js';
import { type CacheEntries, namedCache, releaseCache } from '../lm/named-cache.js';
import type { Place } from '../lm/places.js';
import { padRows, stackRows } from '../lm/rows.js';
import { leadOf, type TransformerSpec } from '../lm/spec.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import type { Probe } from '../readouts/probe.js';

/** The stream after the last layer, from which tokens are predicted. */
export const lastStream = ({ layers }: Pick<TransformerSpec, 'layers'>): Place =>
  `blocks.${layers - 1}.hook_resid_post`;

/** A child to compute. */
interface Described {
  /** `[positions]` */
  readonly ids: Int32Array;
  readonly parent: Int32Array;
  /** Which of its batch's parents that is. */
  readonly parentIndex: number;
}

/** Children of a few parents. */
export interface Families {
  /** Numbers of the children among all. */
  readonly own: readonly number[];
  /** The same children. */
  readonly described: readonly Described[];
  readonly parents: readonly Int32Array[];
}

/** Those whose parents were read together. */
export interface ChildBatch extends Families {
  /** One row a position of the parents: keys, values, places, log-probabilities. */
  readonly read: CacheEntries;
  release(): void;
}

/** Children by their parents. @param size - parents that are taken together */
export function familiesOf(
  children: readonly Int32Array[],
  parents: readonly Int32Array[],
  size: number,
): Families[] {
  const distinct = [...new Set(parents)];
  return Array.from({ length: Math.ceil(distinct.length / size) }, (_, i) => {
    const group = distinct.slice(i * size, (i + 1) * size);
    const index = new Map(group.map((parent, i) => [parent, i]));
    const own = [...children.keys()].filter((child) => index.has(parents[child]!));
    const described = own.map((child) => {
      const parent = parents[child]!;
      return { ids: children[child]!, parent, parentIndex: index.get(parent)! };
    });
    return { own, described, parents: group };
  });
}

export class ParentRows {
  /** Token positions times layers computed so far. */
  tokenLayers = 0;
  /** What of a run the scores are made from: learned when the graph is traced. */
  readonly places: Set<Place>;
  private readonly graphs = new OnDemand<'parents', Compiled>();

  /**
   * The probe must be of the engine `onnx`.
   *
   * @param size - parents read in one call
   * @param depth - so many layers, where children are read for the unit alone; default: all, and how probable tokens are
   */
  constructor(
    private readonly probe: Probe,
    private readonly positions: number,
    private readonly size: number,
    private readonly depth?: number,
  ) {
    this.places = new Set(depth === undefined ? [lastStream(probe.options.subject.spec)] : []);
  }

  /** Children by their parents, as many parents together as one call reads. Whoever asks releases them. */
  async *batches(
    children: readonly Int32Array[],
    parents: readonly Int32Array[],
  ): AsyncGenerator<ChildBatch> {
    for (const families of familiesOf(children, parents, this.size)) {
      const read = await this.read(families.parents);
      yield { ...families, read, release: () => releaseCache(read) };
    }
  }

  /** The rows as inputs of a graph. */
  async inputs(): Promise<Readonly<Record<string, TensorSpec>>> {
    return (await this.graph()).outputs;
  }

  async dispose(): Promise<void> {
    await this.graphs.dispose();
  }

  /** The rows of some texts, as many as are read in one call. */
  async values(texts: readonly Int32Array[]): Promise<Readonly<Record<string, TypedArray>>> {
    return (await this.graph()).run({ ids: this.counted(texts) });
  }

  private async read(parents: readonly Int32Array[]): Promise<CacheEntries> {
    const graph = await this.graph();
    return (await graph.runKeeping({ ids: this.counted(parents) }, Object.keys(graph.outputs))).kept;
  }

  /** Texts as a call takes them, `[size, positions]`. */
  private counted(texts: readonly Int32Array[]): Int32Array {
    const { positions, size, probe } = this;
    this.tokenLayers += size * positions * (this.depth ?? probe.options.subject.spec.layers);
    return padRows(stackRows(texts), size, positions);
  }

  private graph(): Promise<Compiled> {
    return this.graphs.get('parents', () => this.compile());
  }

  private compile(): Promise<Compiled> {
    const { probe, positions, size, depth } = this;
    const { spec } = probe.options.subject;
    return compile(
      (inputs, lookup) => {
        const run = forward(spec, lookup, { ids: inputs.ids! });
        probe.unitScores(lookup, {
          at: (place) => {
            this.places.add(place);
            return run.at(place);
          },
          cache: run.cache,
        });
        const cache = Object.entries(namedCache(run.cache(depth))).map(
          // [parent, kvHead, lead + pos, dHead] -> [parent, pos, kvHead, dHead]
          ([name, entry]) =>
            [name, movePositions(tf.slice(entry, [0, 0, leadOf(spec).length, 0]), 2)] as const,
        );
        const logProbs = () =>
          tf.concat([tf.zeros([size, 1]), sequenceLogProbs(spec, lookup, run, inputs.ids!)], 1);
        const rows = {
          ...Object.fromEntries(cache),
          ...Object.fromEntries(
            [...this.places].map((place) => [place, movePositions(run.at(place), positionAxis(place))]),
          ),
          ...(depth === undefined && { logProbs: logProbs() }),
        };
        return Object.fromEntries(
          Object.entries(rows).map(([name, x]) => [
            name,
            tf.reshape(x, [size * positions, ...x.shape.slice(2)]),
          ]),
        );
      },
      { ...probe.compiling, inputs: { ids: { shape: [size, positions], dtype: 'int32' } } },
    );
  }
}

/** Which axis of a place its (query) positions are. */
export const positionAxis = (place: Place) => (place.endsWith('hook_pattern') ? 2 : 1);

/** Positions moved from an axis to the second, or back from there. */
export function movePositions(x: tf.Tensor, axis: number): tf.Tensor {
  return axis === 1 ? x : tf.transpose(x, [0, 2, 1, 3]);
}
