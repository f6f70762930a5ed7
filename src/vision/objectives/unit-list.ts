/** @file What `--unit` takes: one expression, or a range of channels of one layer. */
import { quotedLayer, unquoted } from '../layer-name.js';
import type { VisionNetwork } from '../network.js';
import type { Expression } from './expression.js';
import { parseExpression } from './parse.js';

const rangePattern = new RegExp(`^\\s*(?:"(${quotedLayer})"|([^\\s"]+)):(?:(\\d{1,9})-(\\d{1,9})|\\*)\\s*$`);

/**
 * `block3_conv2:0-15` (channels 0 to 15), `block3_conv2:*` (all), or anything that `parseExpression` reads.
 *
 * @throws UsageError for a text that cannot be read, or a layer that is not there
 */
export function parseUnitList(text: string, network: VisionNetwork): Expression[] {
  const range = rangePattern.exec(text);
  if (!range) return [parseExpression(text)];
  const [, quoted, bare, first, last] = range;
  const layer = quoted === undefined ? bare! : unquoted(quoted);
  const end = last === undefined ? network.layer(layer).channels - 1 : Number(last);
  const [low, high] = [Math.min(Number(first ?? 0), end), Math.max(Number(first ?? 0), end)];
  // A range that no layer has is found out by its last channel, without listing it.
  const channels =
    high - low > 65_536 ? [low, high] : Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return channels.map((channel) => ({
    kind: 'unit',
    unit: { kind: 'channel', layer, channel, position: null },
  }));
}
