/** @file The angles of rotary position embedding (Su et al. 2021); `rotate` turns by them. */
import * as tf from '../../engine/functions/tfjs.js';
import type { Positions, TransformerSpec } from './spec.js';

/** Radians a position, by pair of dimensions. */
function rotaryFrequencies(kind: Positions): number[] {
  if (kind.kind !== 'rotary') throw new Error('this model has no rotary positions');
  const { dims, theta, scaling } = kind;
  const frequencies = Array.from({ length: dims / 2 }, (_, pair) => theta ** ((-2 * pair) / dims));
  if (!scaling) return frequencies;
  if (scaling.kind === 'linear') return frequencies.map((frequency) => frequency / scaling.factor);
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
  return frequencies.map((frequency) => {
    // How often the pair turns within the context of pre-training; often enough keeps its frequency.
    const turns = (originalContext * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return frequency * (kept + (1 - kept) / factor);
  });
}

/** Cosine and sine of position * frequency, `[positions, pairs]`, for positions from 0. */
export function rotationTables(spec: TransformerSpec, positions: number): { cos: tf.Tensor; sin: tf.Tensor } {
  const frequencies = rotaryFrequencies(spec.positions);
  const table = (f: (angle: number) => number) => {
    const values = Float32Array.from({ length: positions * frequencies.length }, (_, i) =>
      f(Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!),
    );
    return tf.tensor(values, [positions, frequencies.length]);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
