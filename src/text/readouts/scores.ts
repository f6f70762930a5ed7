/** @file What sequences are worth to a unit, as columns. */
import type { TypedArray } from '../../engine/tensor-spec.js';

/** What a sequence is worth. Arrays have one entry a sequence. */
export interface Scores {
  /** Nats a token under the prior, BOS not counted. */
  readonly crossEntropy: Float32Array;
  /** Sigmas. */
  readonly z: Float32Array;
  /** The measure in its own unit where z peaks; of `delta` and `logits` of heads, see `rawGroup`. */
  readonly raw: Float32Array;
  /** The position that speaks for the sequence: where z peaks, or the last. */
  readonly peak: Int32Array;
  /** Against the rivals that a search may work against; null where there are none. */
  readonly rivals: Rivalry | null;
  /** Against those that it may not; null where there are none. */
  readonly heldOut: Rivalry | null;
}

/** How a unit stands among some rivals. Arrays have one entry a sequence. */
export interface Rivalry {
  /** z less the strongest rival's, sigmas. */
  readonly margin: Float32Array;
  /** 1 + how many rivals are stronger. */
  readonly rank: Int32Array;
  /** z of the rivals, averaged with their softmax as weights: between their mean and their maximum. */
  readonly soft: Float32Array;
}

/** Scores from what a graph with `unitScores` and `crossEntropy` gave. */
export function toScores(columns: Readonly<Record<string, TypedArray>>): Scores {
  const floats = (name: string) => columns[name] as Float32Array;
  const z = floats('z');
  const rivalry = (kind: string): Rivalry | null =>
    `${kind}Strongest` in columns
      ? {
          margin: floats(`${kind}Strongest`).map((strongest, row) => z[row]! - strongest),
          rank: (columns[`${kind}Above`] as Int32Array).map((above) => above + 1),
          soft: floats(`${kind}Soft`),
        }
      : null;
  return {
    crossEntropy: floats('crossEntropy'),
    z,
    raw: floats('raw'),
    peak: columns.peak as Int32Array,
    rivals: rivalry('rival'),
    heldOut: rivalry('heldOut'),
  };
}

/** Scores of some sequences and of those after them, of one probe. */
export function concatScores(parts: readonly Scores[]): Scores {
  return combined(parts, {
    floats: (arrays) => Float32Array.from(arrays.flatMap((array) => [...array])),
    ints: (arrays) => Int32Array.from(arrays.flatMap((array) => [...array])),
  });
}

/** Scores of some sequences in another order. @param rows - which comes where */
export function orderedScores(scores: Scores, rows: readonly number[]): Scores {
  return combined([scores], {
    floats: ([array]) => Float32Array.from(rows, (row) => array![row]!),
    ints: ([array]) => Int32Array.from(rows, (row) => array![row]!),
  });
}

/** Scores whose columns are made from those of some others. */
function combined(
  parts: readonly Scores[],
  join: {
    floats(arrays: readonly Float32Array[]): Float32Array;
    ints(arrays: readonly Int32Array[]): Int32Array;
  },
): Scores {
  const floats = (of: (part: Scores) => Float32Array) => join.floats(parts.map(of));
  const ints = (of: (part: Scores) => Int32Array) => join.ints(parts.map(of));
  const rivalry = (of: (part: Scores) => Rivalry | null): Rivalry | null =>
    parts[0] && of(parts[0])
      ? {
          margin: floats((part) => of(part)!.margin),
          rank: ints((part) => of(part)!.rank),
          soft: floats((part) => of(part)!.soft),
        }
      : null;
  return {
    crossEntropy: floats((part) => part.crossEntropy),
    z: floats((part) => part.z),
    raw: floats((part) => part.raw),
    peak: ints((part) => part.peak),
    rivals: rivalry((part) => part.rivals),
    heldOut: rivalry((part) => part.heldOut),
  };
}
