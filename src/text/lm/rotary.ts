/** @file The angles of rotary position embedding (Su et al. 2021); `rotate` turns by them. */
import * as tf from '../../engine/functions/tfjs.js';
import type { Rotary, RotaryScaling } from './spec.js';

/** Radians a position, by pair of dimensions. */
function rotaryFrequencies({ dims, theta, scaling }: Rotary): number[] {
  const frequencies = Array.from({ length: dims / 2 }, (_, pair) => theta ** ((-2 * pair) / dims));
  switch (scaling?.kind) {
    case undefined:
      return frequencies;
    case 'linear':
      return frequencies.map((frequency) => frequency / scaling.factor);
    case 'llama3': {
      const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
      return frequencies.map((frequency) => {
        // How often the pair turns within the context of pre-training; often enough keeps its frequency.
        const turns = (originalContext * frequency) / (2 * Math.PI);
        const kept = clamp((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor));
        return frequency * (kept + (1 - kept) / factor);
      });
    }
    case 'yarn': {
      const [first, last] = yarnRamp(scaling, dims, theta);
      return frequencies.map((frequency, pair) => {
        const kept = 1 - clamp((pair - first) / Math.max(last - first, 0.001));
        return frequency * (kept + (1 - kept) / scaling.factor);
      });
    }
    case 'longrope': {
      return frequencies.map((frequency, pair) => frequency / scaling.factors[pair]!);
    }
  }
}

const clamp = (x: number) => Math.min(1, Math.max(0, x));

/** The pairs between which frequencies pass from kept to divided. */
function yarnRamp(
  { betaFast, betaSlow, truncate, originalContext }: RotaryScaling & { kind: 'yarn' },
  dims: number,
  theta: number,
): [first: number, last: number] {
  /** The pair that turns so often within the context of pre-training. */
  const pairOf = (turns: number) =>
    (dims * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const whole = truncate ? [Math.floor(first), Math.ceil(last)] : [first, last];
  return [Math.max(whole[0]!, 0), Math.min(whole[1]!, dims - 1)];
}

/** Cosine and sine of position * frequency, `[positions, pairs]`, for positions from `from` on. */
export function rotationTables(
  rotary: Rotary,
  positions: number,
  from = 0,
): { cos: tf.Tensor; sin: tf.Tensor } {
  const frequencies = rotaryFrequencies(rotary);
  const magnitude =
    rotary.scaling?.kind === 'yarn' || rotary.scaling?.kind === 'longrope' ? rotary.scaling.magnitude : 1;
  const table = (f: (angle: number) => number) => {
    const values = Float32Array.from(
      { length: positions * frequencies.length },
      (_, i) =>
        magnitude * f((from + Math.floor(i / frequencies.length)) * frequencies[i % frequencies.length]!),
    );
    return tf.tensor(values, [positions, frequencies.length]);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
