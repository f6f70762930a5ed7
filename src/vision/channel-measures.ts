/** @file What pictures do to channels: the mean over the picture, and the strongest position. */

import { UsageError } from '../core/errors.js';
import { compile, type Engine } from '../engine/compile.js';
import * as tf from '../engine/functions/tfjs.js';
import type { ChannelUnit } from './channel-unit.js';
import type { VisionNetwork } from './network.js';
import type { Picture } from './picture.js';
import { type Preprocessing, preprocess } from './preprocess.js';

/** One picture's. */
export interface ChannelMeasure {
  /** Over the picture. */
  readonly mean: number;
  /** The unit's position, or the strongest one. */
  readonly peak: { readonly row: number; readonly column: number; readonly activation: number };
}

export interface ChannelMeasures {
  /**
   * @param pictures - of the network's size, no more than `batch`
   * @returns by unit, by picture
   */
  run(pictures: readonly Picture[]): Promise<ChannelMeasure[][]>;
  dispose(): void;
}

/** @param batch - pictures at a time */
export async function compileChannelMeasures(
  network: VisionNetwork,
  units: readonly ChannelUnit[],
  preprocessing: Preprocessing,
  batch: number,
  engine?: Engine,
): Promise<ChannelMeasures> {
  const { height, width, channels } = network.input;
  /** Columns of each unit's map. */
  const widths: number[] = [];
  const compiled = await compile(
    ({ x }, weights) => {
      const wanted = units.map(({ layer, channel, position }) => ({
        layer,
        channels: [channel],
        classToken: position === 'cls',
      }));
      const maps = network.forward(weights, preprocess(x as tf.Tensor4D, preprocessing), wanted);
      const measured = maps.map((map, u) => {
        // A vector is a map of one position.
        const [rows, columns] = map.rank === 4 ? map.shape.slice(1, 3) : [1, 1];
        widths[u] = columns!;
        const { layer } = units[u]!;
        // Of a class token there is one value.
        const position = units[u]!.position === 'cls' ? null : units[u]!.position;
        if (position && (position.row >= rows! || position.column >= columns!)) {
          throw new UsageError(
            `layer "${layer}" of ${network.name} is ${rows} x ${columns}: it has no position ${position.row},${position.column}`,
          );
        }
        const positions = tf.reshape(map, [batch, rows! * columns!]);
        const fixed = position && position.row * columns! + position.column;
        return {
          mean: tf.mean(positions, 1),
          peak: fixed === null ? tf.max(positions, 1) : tf.slice(positions, [0, fixed], [batch, 1]),
          place: fixed === null ? tf.argMax(positions, 1) : tf.fill([batch], fixed, 'int32'),
        };
      });
      return Object.fromEntries(
        measured.flatMap((values, u) =>
          Object.entries(values).map(([name, value]) => [`${name} ${u}`, value]),
        ),
      );
    },
    {
      inputs: { x: { shape: [batch, height, width, channels] } },
      weights: network.weights,
      ...(engine ? { engine } : {}),
    },
  );
  return {
    async run(pictures) {
      const x = new Float32Array(batch * height * width * channels);
      for (const [i, { data }] of pictures.entries()) x.set(data, i * data.length);
      const values = await compiled.run({ x });
      return units.map((_, u) =>
        pictures.map((_, i) => {
          const place = values[`place ${u}`]![i]!;
          return {
            mean: values[`mean ${u}`]![i]!,
            peak: {
              row: Math.floor(place / widths[u]!),
              column: place % widths[u]!,
              activation: values[`peak ${u}`]![i]!,
            },
          };
        }),
      );
    },
    dispose: () => compiled.dispose(),
  };
}
