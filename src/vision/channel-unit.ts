/**
 * @file Names of channels.
 *
 * | name                   | unit                                            |
 * | ---------------------- | ----------------------------------------------- |
 * | `block4_conv1:4`       | CNN channel                                     |
 * | `block4_conv1:4@7,5`   | the same at row 7, column 5                     |
 * | `blocks.5.mlp:123@cls` | the same at the class token of a vision transformer |
 */
import { readUnit, type UnitForm } from '../core/unit-form.js';

export interface ChannelUnit {
  readonly kind: 'channel';
  /** The layer's name in its network. */
  readonly layer: string;
  readonly channel: number;
  /** One position of the channel's map, or the class token; null for all of the map. */
  readonly position: ChannelPosition | null;
}

export type ChannelPosition = { readonly row: number; readonly column: number } | 'cls';

/** What stands after a channel's number: nothing, `@7,5` with its row and column, or `@cls`. */
export function channelPosition(at?: string, row?: string, column?: string): ChannelPosition | null {
  if (!at) return null;
  return row === undefined ? 'cls' : { row: Number(row), column: Number(column) };
}

function formatPosition(position: ChannelPosition | null): string {
  if (position === null) return '';
  return position === 'cls' ? '@cls' : `@${position.row},${position.column}`;
}

const form: UnitForm<ChannelUnit> = {
  example: 'layer:4 or layer:4@7,7 (a channel of a vision network, or one position of it)',
  parse: [
    [
      // What begins as a unit of a language model is such a unit misspelt, not a layer of a CNN.
      /^(?!L\d+\.|logit:|sae:)([^:@\s]+):(\d{1,9})(@(?:(\d{1,9}),(\d{1,9})|cls))?$/,
      ([layer, channel, at, row, column]) => ({
        kind: 'channel',
        layer: layer!,
        channel: Number(channel),
        position: channelPosition(at, row, column),
      }),
    ],
  ],
  format: ({ layer, channel, position }) => `${layer}:${channel}${formatPosition(position)}`,
};

/** The channel that a name means. Throws UsageError for a name of another form. */
export const parseChannel = (name: string): ChannelUnit => readUnit(name, [form]);

/** The name of a channel; `parseChannel` gives the channel back. */
export const formatChannel = form.format;
