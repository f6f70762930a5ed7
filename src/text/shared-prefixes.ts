/**
 * @file Scoring many children of a few parents: what stands before a child's first change was computed with its parent,
 * and is taken from there. Saves about half of the work where changes fall anywhere.
 */
import { type Compiled, compile, type Resident } from '../engine/compile.js';
import type { TensorSpec, TypedArray } from '../engine/tensor-spec.js';
import * as tf from '../engine/tfjs.js';
import type { WeightLookup } from '../engine/weights.js';
import { cacheNames, namedCache } from './named-cache.js';
import type { Place } from './places.js';
import { type Probe, precise, type Scores, toScores } from './probe.js';
import { firstChange, padRows } from './rows.js';
import { forward, type Run, readOn, sequenceLogProbs } from './transformer.js';

/** Children's first changes are rounded down to a multiple of this, so that a few graphs serve all. */
const STRIDE = 3;
const HIDDEN: Place = 'ln_final.hook_normalized';

export interface SharedPrefixesOptions {
  readonly probe: Probe;
  readonly positions: number;
  /** Parents read in one call. */
  readonly parents: number;
  /** Children scored in one call. */
  readonly batch: number;
}

export class SharedPrefixes {
  /** Token positions times layers computed so far, of parents and children. */
  tokenLayers = 0;
  /** What of a run the scores are made from: learned when the parents' graph is traced. */
  private readonly places = new Set<Place>([HIDDEN]);
  private parentsGraph: Promise<Compiled> | undefined;
  private readonly graphs = new Map<number, Promise<Compiled>>();

  /** The probe must be of the engine `onnx`. */
  constructor(private readonly options: SharedPrefixesOptions) {}

  /**
   * @param children - `[positions]` each
   * @param parents - a child's parent, `[positions]`: any sequence, best one with a long beginning in common
   */
  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const { batch, positions, probe } = this.options;
    const { layers } = probe.options.spec;
    const columns: Record<string, TypedArray> = {};
    for (const distinct of this.inGroups(parents)) {
      const index = new Map(distinct.map((parent, i) => [parent, i]));
      const read = await this.readParents(distinct);
      // Sorted by where they change, so that those of one call have the most in common.
      const own = [...children.keys()]
        .filter((child) => index.has(parents[child]!))
        .map((child) => ({ child, change: firstChange(children[child]!, parents[child]!) }))
        .sort((a, b) => b.change - a.change);
      for (let start = 0; start < own.length; start += batch) {
        const part = own.slice(start, start + batch);
        const from = Math.floor(part.at(-1)!.change / STRIDE) * STRIDE;
        const graph = await this.graph(from);
        const suffixes = new Int32Array(part.length * (positions - from));
        for (const [i, { child }] of part.entries())
          suffixes.set(children[child]!.subarray(from), i * (positions - from));
        const inputs = {
          ids: padRows(suffixes, batch, positions - from),
          parent: Int32Array.from(
            { length: batch },
            (_, i) => index.get(parents[part[i]?.child ?? own[0]!.child]!)!,
          ),
          ...(from > 0 && read),
        };
        this.tokenLayers += batch * (positions - from) * layers;
        const result = await graph.run(inputs);
        for (const [name, values] of Object.entries(result)) {
          columns[name] ??=
            values instanceof Int32Array
              ? new Int32Array(children.length)
              : new Float32Array(children.length);
          for (const [i, { child }] of part.entries()) columns[name]![child] = values[i]!;
        }
      }
      for (const entry of Object.values(read)) entry.release();
    }
    return toScores(columns);
  }

  async dispose(): Promise<void> {
    (await this.parentsGraph)?.dispose();
    for (const graph of this.graphs.values()) (await graph).dispose();
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
    const ids = new Int32Array(batch * positions);
    for (let i = 0; i < batch; i++) ids.set(parents[i] ?? parents[0]!, i * positions);
    this.tokenLayers += batch * positions * this.options.probe.options.spec.layers;
    return (await graph.runKeeping({ ids }, Object.keys(graph.outputs))).kept;
  }

  private compileParents(): Promise<Compiled> {
    const { probe, positions, parents } = this.options;
    const { spec } = probe.options;
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
        return {
          ...namedCache(run.cache()),
          ...Object.fromEntries([...this.places].map((place) => [place, run.at(place)])),
          logProbs: sequenceLogProbs(spec, lookup, run, inputs.ids!),
        };
      },
      { ...precise(probe.options), inputs: { ids: { shape: [parents, positions], dtype: 'int32' } } },
    );
  }

  /** The graph that computes children from position `from` on. */
  private async graph(from: number): Promise<Compiled> {
    const { probe, positions, batch } = this.options;
    const known = this.graphs.get(from);
    if (known) return known;
    const { outputs } = await this.parentsGraph!;
    const read: Record<string, TensorSpec> = from > 0 ? outputs : {};
    const graph = compile((inputs, lookup) => this.scoreFrom(from, inputs, lookup), {
      ...precise(probe.options),
      inputs: {
        ids: { shape: [batch, positions - from], dtype: 'int32' },
        parent: { shape: [batch], dtype: 'int32' },
        ...read,
      },
    });
    this.graphs.set(from, graph);
    return graph;
  }

  // -- traced ------------------------------------------------------------------------------------------------

  private scoreFrom(
    from: number,
    inputs: Record<string, tf.Tensor>,
    lookup: WeightLookup,
  ): Record<string, tf.Tensor> {
    const { probe, positions, batch } = this.options;
    const { spec } = probe.options;
    const ids = inputs.ids!;
    if (from === 0) {
      const run = forward(spec, lookup, { ids });
      return {
        ...probe.unitScores(lookup, run),
        crossEntropy: meanNats([sequenceLogProbs(spec, lookup, run, ids)], positions),
      };
    }
    /** The first `count` positions along an axis of what was read of each child's parent. */
    const ofParent = (name: string, axis: number, start: number, count: number) => {
      const whole = inputs[name]!;
      const at = (value: number, rest: (dim: number) => number) =>
        whole.shape.map((dim, i) => (i === axis ? value : rest(dim)));
      const part = tf.slice(
        whole,
        at(start, () => 0),
        at(count, (dim) => dim),
      );
      return tf.gather(part, inputs.parent! as tf.Tensor1D);
    };
    const names = cacheNames(spec);
    const cached = (kind: string) =>
      names.filter((name) => name.startsWith(kind)).map((name) => ofParent(name, 2, 0, from));
    const rest = readOn(spec, lookup, ids, { keys: cached('keys'), values: cached('values') });
    const whole: Run = {
      at: (place) => {
        const axis = place.endsWith('hook_pattern') ? 2 : 1;
        return tf.concat([ofParent(place, axis, 0, from), rest.at(place)], axis);
      },
      cache: rest.cache,
    };
    // The parent's last position before the change predicts the first token after it.
    const predicting: Run = {
      at: (place) => tf.concat([ofParent(place, 1, from - 1, 1), rest.at(place)], 1),
      cache: rest.cache,
    };
    const behindOne = tf.concat([tf.zeros([batch, 1], 'int32'), ids], 1);
    const logProbs = [sequenceLogProbs(spec, lookup, predicting, behindOne)];
    if (from > 1) logProbs.push(ofParent('logProbs', 1, 0, from - 1));
    return { ...probe.unitScores(lookup, whole), crossEntropy: meanNats(logProbs, positions) };
  }
}

/** Cross entropy from log-probabilities of all tokens but the first, `[batch, some]` each. */
function meanNats(logProbs: readonly tf.Tensor[], positions: number): tf.Tensor {
  const sums = logProbs.map((part) => tf.sum(part, 1));
  return tf.mul(
    sums.reduce((a, b) => tf.add(a, b)),
    -1 / (positions - 1),
  );
}
