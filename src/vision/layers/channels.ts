/** @file Choosing channels: entries of the last axis. */
import * as tf from '../../engine/functions/tfjs.js';

/** Ascending channel numbers; `undefined` means all of them. */
export type Channels = readonly number[] | undefined;

/**
 * The given entries of the last axis, in the given order; repeats allowed.
 * Made of slices, one for each consecutive run: their gradient is a pad, cheaper than a gather's scatter.
 */
export function takeChannels(x: tf.Tensor, channels: readonly number[]): tf.Tensor {
  const count = x.shape.at(-1)!;
  if (channels.length === count && channels.every((channel, i) => channel === i)) return x;
  const runs: { start: number; length: number }[] = [];
  for (const channel of channels) {
    const run = runs.at(-1);
    if (run && channel === run.start + run.length) run.length++;
    else runs.push({ start: channel, length: 1 });
  }
  const leading = x.shape.slice(0, -1);
  const parts = runs.map(({ start, length }) =>
    tf.slice(x, [...leading.map(() => 0), start], [...leading, length]),
  );
  return parts.length === 1 ? parts[0]! : tf.concat(parts, -1);
}

/** Everything in either, ascending. */
export function unionChannels(a: Channels, b: Channels): Channels {
  if (!a || !b) return undefined;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}
