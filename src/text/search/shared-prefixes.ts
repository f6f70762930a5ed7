/**
 * @file Scoring many children of a few parents: what stands before a child's first change was computed with its parent,
 * and is taken from there. Saves about half of the work where changes fall anywhere.
 */

import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile, type Resident } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { cacheNames, namedCache } from '../lm/named-cache.js';
import { type CallSize, pack } from '../lm/packing.js';
import type { Place } from '../lm/places.js';
import { padRows, stackRows } from '../lm/rows.js';
import { leadOf, type TransformerSpec } from '../lm/spec.js';
import { forward, type Pass, readPacked, sequenceLogProbs } from '../lm/transformer.js';
import { finalNorm, targetLogProbs } from '../lm/unembed.js';
import type { Probe } from '../readouts/probe.js';
import { type Scores, toScores } from '../readouts/scores.js';

/** The stream after the last layer, from which tokens are predicted. */
const lastStream = ({ layers }: TransformerSpec): Place => `blocks.${layers - 1}.hook_resid_post`;

export interface SharedPrefixesOptions {
  readonly probe: Probe;
  readonly positions: number;
  /** Parents read in one call. */
  readonly parents: number;
  /** Tokens of children computed in one call; where half of them are enough, half. */
  readonly tokens: number;
}

export class SharedPrefixes {
  /** Token positions times layers computed so far, of parents and children. */
  tokenLayers = 0;
  /** What of a run the scores are made from: learned when the parents' graph is traced. */
  private readonly places: Set<Place>;
  private parentsGraph: Promise<Compiled> | undefined;
  /** By size of a call; the last call of a turn is mostly small. */
  private readonly childrenGraphs = new OnDemand<CallSize, Compiled>();
  private readonly sizes: readonly CallSize[];

  /** The probe must be of the engine `onnx`. */
  constructor(private readonly options: SharedPrefixesOptions) {
    const { positions, tokens, probe } = options;
    this.places = new Set([lastStream(probe.options.subject.spec)]);
    const sizes = new Set([tokens / 2, tokens].map((size) => Math.max(Math.ceil(size), positions)));
    this.sizes = [...sizes].map((tokens) =>
      // Half of a child's positions are computed on average; where it is less than 1 in 2.5, calls are not full.
      ({ positions, tokens, sequences: Math.ceil((2.5 * tokens) / positions) }),
    );
  }

  /**
   * @param children - `[positions]` each
   * @param parents - a child's parent, `[positions]`: any sequence, best one with a long beginning in common
   */
  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const { layers } = this.options.probe.options.subject.spec;
    const columns: Record<string, TypedArray> = {};
    for (const distinct of this.inGroups(parents)) {
      const index = new Map(distinct.map((parent, i) => [parent, i]));
      const read = await this.readParents(distinct);
      const own = [...children.keys()].filter((child) => index.has(parents[child]!));
      const described = own.map((child) => {
        const parent = parents[child]!;
        return { ids: children[child]!, parent, parentIndex: index.get(parent)! };
      });
      for (const { size, children: part, ...inputs } of pack(described, this.options.parents, this.sizes)) {
        this.tokenLayers += size.tokens * layers;
        const graph = await this.childrenGraphs.get(size, () => this.compileChildren(size));
        const result = await graph.run({ ...inputs, ...read });
        for (const [name, values] of Object.entries(result)) {
          columns[name] ??=
            values instanceof Int32Array
              ? new Int32Array(children.length)
              : new Float32Array(children.length);
          for (const [i, number] of part.entries()) columns[name]![own[number]!] = values[i]!;
        }
      }
      for (const entry of Object.values(read)) entry.release();
    }
    return toScores(columns);
  }

  async dispose(): Promise<void> {
    (await this.parentsGraph)?.dispose();
    await this.childrenGraphs.dispose();
  }

  /** Distinct parents, as many together as one call reads. */
  private inGroups(parents: readonly Int32Array[]): Int32Array[][] {
    const distinct = [...new Set(parents)];
    const size = this.options.parents;
    return Array.from({ length: Math.ceil(distinct.length / size) }, (_, i) =>
      distinct.slice(i * size, (i + 1) * size),
    );
  }

  private async readParents(parents: readonly Int32Array[]): Promise<Record<string, Resident>> {
    const { positions, parents: batch } = this.options;
    this.parentsGraph ??= this.compileParents();
    const graph = await this.parentsGraph;
    const ids = padRows(stackRows(parents), batch, positions);
    this.tokenLayers += batch * positions * this.options.probe.options.subject.spec.layers;
    return (await graph.runKeeping({ ids }, Object.keys(graph.outputs))).kept;
  }

  /** What children need of their parents, one row a position: keys, values, places, log-probabilities. */
  private compileParents(): Promise<Compiled> {
    const { probe, positions, parents } = this.options;
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
        const cache = Object.entries(namedCache(run.cache())).map(
          // [parent, kvHead, lead + pos, dHead] -> [parent, pos, kvHead, dHead]
          ([name, entry]) =>
            [name, movePositions(tf.slice(entry, [0, 0, leadOf(spec).length, 0]), 2)] as const,
        );
        const logProbs = sequenceLogProbs(spec, lookup, run, inputs.ids!);
        const rows = {
          ...Object.fromEntries(cache),
          ...Object.fromEntries(
            [...this.places].map((place) => [place, movePositions(run.at(place), positionAxis(place))]),
          ),
          logProbs: tf.concat([tf.zeros([parents, 1]), logProbs], 1),
        };
        return Object.fromEntries(
          Object.entries(rows).map(([name, x]) => [
            name,
            tf.reshape(x, [parents * positions, ...x.shape.slice(2)]),
          ]),
        );
      },
      { ...probe.compiling, inputs: { ids: { shape: [parents, positions], dtype: 'int32' } } },
    );
  }

  private async compileChildren(size: CallSize): Promise<Compiled> {
    const { probe } = this.options;
    const { tokens, sequences, positions } = size;
    const { outputs } = await this.parentsGraph!;
    const perToken = { shape: [tokens], dtype: 'int32' } as const;
    return compile((inputs, lookup) => this.scoreChildren(size, inputs, lookup), {
      ...probe.compiling,
      // Position 0, where rows are of another size than elsewhere, is the parents'.
      evenRows: true,
      packed: size === this.sizes.at(-1),
      inputs: {
        ids: perToken,
        positions: perToken,
        slots: perToken,
        sources: { shape: [sequences * positions], dtype: 'int32' },
        ...outputs,
      },
    });
  }

  // -- traced ------------------------------------------------------------------------------------------------

  private scoreChildren(
    { sequences, positions }: CallSize,
    inputs: Record<string, tf.Tensor>,
    lookup: WeightLookup,
  ): Record<string, tf.Tensor> {
    const { probe } = this.options;
    const { spec } = probe.options.subject;
    const sources = inputs.sources as tf.Tensor1D;
    const entries = (kind: string) =>
      cacheNames(spec)
        .filter((name) => name.startsWith(kind))
        .map((name) => inputs[name]!);
    const run = readPacked(spec, lookup, {
      ids: inputs.ids!,
      positions: inputs.positions!,
      slots: inputs.slots!,
      sources: tf.reshape(sources, [sequences, positions]),
      past: { keys: entries('keys'), values: entries('values') },
    });
    /** By position, what was known and after it what the tokens have. */
    const rowsAt = (place: Place) => {
      const own = movePositions(run.at(place), positionAxis(place)); // [tokens, 1, ...]
      return tf.concat([inputs[place]!, tf.reshape(own, [own.shape[0]!, ...own.shape.slice(2)])], 0);
    };
    const whole: Pass = {
      at: (place) => {
        const rows = tf.gather(rowsAt(place), sources);
        const sorted = tf.reshape(rows, [sequences, positions, ...rows.shape.slice(1)]);
        return movePositions(sorted, positionAxis(place));
      },
      cache: run.cache,
    };
    // Each token is predicted by what stands before it; that at position 0 does not count.
    const before = tf.maximum(tf.sub(inputs.slots!, tf.scalar(1, 'int32')), tf.scalar(0, 'int32'));
    const stream = tf.gather(rowsAt(lastStream(spec)), tf.gather(sources, before as tf.Tensor1D));
    const own = targetLogProbs(spec, lookup, finalNorm(spec, lookup, stream), inputs.ids!);
    const logProbs = tf.reshape(tf.gather(tf.concat([inputs.logProbs!, own], 0), sources), [
      sequences,
      positions,
    ]);
    const counted = tf.slice(logProbs, [0, 1], [sequences, positions - 1]);
    return { ...probe.unitScores(lookup, whole), crossEntropy: tf.neg(tf.mean(counted, 1)) };
  }
}

/** Which axis of a place its (query) positions are. */
const positionAxis = (place: Place) => (place.endsWith('hook_pattern') ? 2 : 1);

/** Positions moved from an axis to the second, or back from there. */
function movePositions(x: tf.Tensor, axis: number): tf.Tensor {
  return axis === 1 ? x : tf.transpose(x, [0, 2, 1, 3]);
}
