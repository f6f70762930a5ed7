/** @file The statistics of all channels that ship with an embedded vision network, counted over pictures. */
import * as z from 'zod';
import { openUnitStatistics, saveUnitStatistics, type UnitStatistics } from '../hub/unit-statistics.js';

/** What the channels of a layer did over pictures. */
export interface ChannelStatistics {
  /** The activation at each position of each picture. */
  readonly position: UnitStatistics;
  /** Its mean over a picture: what the channel objective maximizes. */
  readonly picture: UnitStatistics;
}

/** What the channels were counted over. */
const countedPictures = z.object({
  pictures: z.int().positive(),
  /** Height and width, pixels. */
  size: z.int().positive(),
  /** Says which pictures these are. */
  key: z.string(),
});
export type CountedPictures = Readonly<z.infer<typeof countedPictures>>;

export interface ShippedChannelStatistics {
  readonly counted: CountedPictures;
  /** Undefined for a layer that was not counted. */
  load(layer: string): ChannelStatistics | undefined;
}

/** The statistics in a model folder, or undefined when it has none. Throws UserError when they are damaged. */
export function shippedChannelStatistics(folder: string): ShippedChannelStatistics | undefined {
  const file = openUnitStatistics(folder, countedPictures);
  return (
    file && {
      counted: file.counted,
      load(layer) {
        const position = file.load(`${layer} position`);
        const picture = file.load(`${layer} picture`);
        return position && picture && { position, picture };
      },
    }
  );
}

/** Channels of a ReLU that no picture excited at any position. */
export function deadChannels({ position }: ChannelStatistics): number[] {
  return [...position.max].flatMap((max, channel) => (max === 0 ? [channel] : []));
}

/** Writes them into a model folder; `units.json` also names the dead channels. */
export function writeChannelStatistics(
  folder: string,
  counted: CountedPictures,
  layers: Iterable<readonly [layer: string, statistics: ChannelStatistics]>,
): void {
  const known = [...layers];
  const dead = known.flatMap(([layer, statistics]) =>
    deadChannels(statistics).map((channel) => `${layer}:${channel}`),
  );
  const groups = known.flatMap(([layer, { position, picture }]) => [
    [`${layer} position`, position] as const,
    [`${layer} picture`, picture] as const,
  ]);
  saveUnitStatistics(folder, { ...counted, dead }, groups);
}
