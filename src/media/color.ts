/** @file Colours that colour-blind people can distinguish, and scales from numbers to colours. */

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** What colours mean here: the palette of Okabe and Ito, legible on dark and on light. */
export const palette = {
  accent: [86, 180, 233],
  good: [0, 158, 115],
  caution: [230, 159, 0],
  bad: [213, 94, 0],
  other: [204, 121, 167],
  muted: [128, 128, 128],
} as const satisfies Record<string, Rgb>;

/** Viridis at even distances (Smith and van der Walt, 2015). */
const viridis: readonly Rgb[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** From blue (far below) over grey to orange (far above). */
const diverging: readonly Rgb[] = [
  [33, 102, 172],
  [103, 152, 196],
  [128, 128, 128],
  [214, 139, 60],
  [230, 97, 1],
];

/** @param share - 0 to 1; clamped */
export function sequentialColor(share: number): Rgb {
  return interpolate(viridis, share);
}

/** @param share - -1 to 1; clamped. 0 is grey. */
export function divergingColor(share: number): Rgb {
  return interpolate(diverging, (share + 1) / 2);
}

/** Black or white, whichever reads better on the colour. */
export function inkOn([red, green, blue]: Rgb): Rgb {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? [0, 0, 0] : [255, 255, 255];
}

function interpolate(stops: readonly Rgb[], share: number): Rgb {
  const place = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * (stops.length - 1);
  const left = Math.min(Math.floor(place), stops.length - 2);
  const [from, to, part] = [stops[left]!, stops[left + 1]!, place - left];
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * part);
  return [mix(0), mix(1), mix(2)];
}
