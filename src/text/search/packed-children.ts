/** @file Children that are packed without gaps behind what was read of their parents, inside a graph. */
import { once } from '../../core/once.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TensorSpec } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { cacheNames, namedCache } from '../lm/named-cache.js';
import type { CallSize } from '../lm/packing.js';
import type { Place } from '../lm/places.js';
import type { TransformerSpec } from '../lm/spec.js';
import { type Begun, type Pass, readPacked } from '../lm/transformer.js';
import { finalNorm, targetLogProbs } from '../lm/unembed.js';
import { lastStream, movePositions, positionAxis } from './parent-rows.js';

/** Room for so many tokens, or for some even parts of them where that is enough. */
export function callSizes(tokens: number, positions: number, parts: number): CallSize[] {
  const even = Array.from({ length: parts }, (_, i) => ((i + 1) * tokens) / parts);
  const sizes = new Set(even.map((size) => Math.max(Math.ceil(size), positions)));
  // Half of a child's positions are computed on average; where it is less than 1 in 2.5, calls are not full.
  return [...sizes].map((tokens) => ({
    positions,
    tokens,
    sequences: Math.ceil((2.5 * tokens) / positions),
  }));
}

/** What `pack` lays out for a call, as inputs of its graph. */
export function packedInputs({ tokens, sequences, positions }: CallSize): Record<string, TensorSpec> {
  const perToken = { shape: [tokens], dtype: 'int32' } as const;
  return {
    ids: perToken,
    positions: perToken,
    slots: perToken,
    sources: { shape: [sequences * positions], dtype: 'int32' },
  };
}

export class PackedChildren {
  /** Of the tokens alone, one per row. */
  private readonly tokens: Pass;
  private readonly sources: tf.Tensor1D;

  /**
   * @param inputs - what `packedInputs` and `ParentRows` describe
   * @param begun - where the first layers were computed before
   */
  constructor(
    private readonly spec: TransformerSpec,
    private readonly size: CallSize,
    private readonly inputs: Record<string, tf.Tensor>,
    private readonly lookup: WeightLookup,
    begun?: Begun,
  ) {
    const { sequences, positions } = size;
    this.sources = inputs.sources as tf.Tensor1D;
    const entries = (kind: string) =>
      cacheNames(spec)
        .filter((name) => name.startsWith(kind))
        .map((name) => inputs[name]!);
    const packed = {
      ids: inputs.ids!,
      positions: inputs.positions!,
      slots: inputs.slots!,
      sources: tf.reshape(this.sources, [sequences, positions]),
      past: { keys: entries('keys'), values: entries('values') },
    };
    this.tokens = readPacked(spec, lookup, packed, begun);
  }

  /** Whole sequences, `[sequences, positions, …]`. */
  get whole(): Pass {
    const { sequences, positions } = this.size;
    return {
      at: (place) => {
        const rows = tf.gather(this.rowsAt(place), this.sources);
        const sorted = tf.reshape(rows, [sequences, positions, ...rows.shape.slice(1)]);
        return movePositions(sorted, positionAxis(place));
      },
      cache: this.tokens.cache,
    };
  }

  /** The stream before a layer of the tokens alone, `[tokens, dModel]`. */
  streamBefore(layer: number): tf.Tensor {
    return tf.reshape(this.tokens.at(`blocks.${layer}.hook_resid_pre`), [this.size.tokens, this.spec.dModel]);
  }

  /** What the tokens' own children need of them, by the names that it has of parents (`ParentRows`): `[tokens, …]` each. */
  rows(places: Iterable<Place>): Record<string, tf.Tensor> {
    const cache = Object.entries(namedCache(this.tokens.cache())).map(
      // [token, kvHead, 1, dHead] -> [token, kvHead, dHead]
      ([name, entry]) => [name, tf.squeeze(entry, [2])] as const,
    );
    return {
      ...Object.fromEntries(cache),
      ...Object.fromEntries([...places].map((place) => [place, this.ownRowsAt(place)])),
      logProbs: this.logProbs(),
    };
  }

  /** ln p of each token, `[tokens]`, nats. */
  private readonly logProbs = once((): tf.Tensor => {
    const { spec, lookup, inputs, sources } = this;
    // Each token is predicted by what stands before it; that at position 0 does not count.
    const before = tf.maximum(tf.sub(inputs.slots!, tf.scalar(1, 'int32')), tf.scalar(0, 'int32'));
    const stream = tf.gather(this.rowsAt(lastStream(spec)), tf.gather(sources, before as tf.Tensor1D));
    return targetLogProbs(spec, lookup, finalNorm(spec, lookup, stream), inputs.ids!);
  });

  /** `[sequences]`, nats. */
  readonly crossEntropy = once((): tf.Tensor => {
    const { inputs, sources } = this;
    const { sequences, positions } = this.size;
    const logProbs = tf.reshape(tf.gather(tf.concat([inputs.logProbs!, this.logProbs()], 0), sources), [
      sequences,
      positions,
    ]);
    const counted = tf.slice(logProbs, [0, 1], [sequences, positions - 1]);
    return tf.neg(tf.mean(counted, 1));
  });

  /** By position, what was known of the parents and after it what the tokens have. */
  private rowsAt(place: Place): tf.Tensor {
    return tf.concat([this.inputs[place]!, this.ownRowsAt(place)], 0);
  }

  private ownRowsAt(place: Place): tf.Tensor {
    return tf.squeeze(movePositions(this.tokens.at(place), positionAxis(place)), [1]); // [tokens, 1, …] -> [tokens, …]
  }
}
