/** @file Sliding windows: where a convolution or a pool reads, in the conventions of TensorFlow, PyTorch and ONNX. */
import { UserError } from '../../core/errors.js';

/** Rows or columns added before and after: [top, bottom, left, right]. */
export type Pads = readonly [number, number, number, number];

/**
 * `same`: TensorFlow's (output = ceil(input / stride), the odd one at the end); `same-lower`: the odd one at the start;
 * numbers: PyTorch's and ONNX's, `ceil` rounding the output size up.
 */
export type Padding = 'same' | 'same-lower' | { readonly pads: Pads; readonly ceil?: boolean };

export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
}

export const validPadding: Padding = { pads: [0, 0, 0, 0] };

/** One axis of a window laid over an input: `before` and `after` are what is read outside, never negative. */
interface Extent {
  readonly output: number;
  readonly before: number;
  readonly after: number;
}

export interface Placement {
  readonly output: readonly [number, number];
  readonly pads: Pads;
  /** How tfjs calls it, where it has a name for it. */
  readonly named: 'valid' | 'same' | null;
}

function sameExtent(input: number, reach: number, stride: number, lower: boolean): Extent {
  const output = Math.ceil(input / stride);
  const total = Math.max(0, (output - 1) * stride + reach - input);
  const before = lower ? Math.ceil(total / 2) : Math.floor(total / 2);
  return { output, before, after: total - before };
}

function paddedExtent(
  input: number,
  reach: number,
  stride: number,
  before: number,
  after: number,
  ceil: boolean,
): Extent {
  const steps = (input + before + after - reach) / stride;
  let output = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window that would start in the padding after the input does not count.
  if (ceil && (output - 1) * stride >= input + before) output--;
  return { output, before, after: Math.max(0, (output - 1) * stride + reach - input - before) };
}

/** Throws UserError unless sizes, strides and dilations are positive integers, and pads none below 0. */
function checkWindow({ size, strides, dilations, padding }: Window): void {
  const positive = [...size, ...strides, ...dilations];
  const pads = typeof padding === 'string' ? [] : padding.pads;
  const wrong =
    positive.find((n) => !Number.isSafeInteger(n) || n < 1) ??
    pads.find((n) => !Number.isSafeInteger(n) || n < 0);
  if (wrong === undefined) return;
  throw new UserError(
    `a window of ${size.join('x')} with strides ${strides}, dilations ${dilations} and padding ${typeof padding === 'string' ? padding : pads} is impossible`,
  );
}

/** Lays a window over an input of `height` x `width`. Throws UserError when it does not fit. */
export function placeWindow(window: Window, height: number, width: number): Placement {
  checkWindow(window);
  const { padding } = window;
  const along = (axis: 0 | 1, input: number): { extent: Extent; same: Extent } => {
    const reach = (window.size[axis] - 1) * window.dilations[axis] + 1;
    const stride = window.strides[axis];
    const same = sameExtent(input, reach, stride, false);
    if (padding === 'same') return { extent: same, same };
    if (padding === 'same-lower') return { extent: sameExtent(input, reach, stride, true), same };
    const [before, after] = axis === 0 ? padding.pads : [padding.pads[2], padding.pads[3]];
    return { extent: paddedExtent(input, reach, stride, before, after, padding.ceil ?? false), same };
  };
  const rows = along(0, height);
  const columns = along(1, width);
  if (!(rows.extent.output > 0 && columns.extent.output > 0)) {
    throw new UserError(
      `a ${window.size.join('x')} window does not fit an input of ${height}x${width}: use a larger image`,
    );
  }
  const pads: Pads = [rows.extent.before, rows.extent.after, columns.extent.before, columns.extent.after];
  const isSame = [rows, columns].every(
    ({ extent, same }) =>
      extent.output === same.output && extent.before === same.before && extent.after === same.after,
  );
  const named = pads.every((pad) => pad === 0) ? 'valid' : isSame ? 'same' : null;
  return { output: [rows.extent.output, columns.extent.output], pads, named };
}

/**
 * How many entries each window of an average counts, [output height, output width]: those inside the input, and with
 * `countPadding` those in the padding the layer asks for (never those that rounding up adds).
 */
export function windowCounts(
  window: Window,
  height: number,
  width: number,
  countPadding: boolean,
): { counts: number[]; constant: boolean } {
  const placement = placeWindow(window, height, width);
  const given = typeof window.padding === 'string' ? placement.pads : window.padding.pads;
  const along = (axis: 0 | 1, input: number): number[] => {
    const before = placement.pads[axis * 2]!;
    const low = countPadding ? -before : 0;
    const high = countPadding ? input + given[axis * 2 + 1]! : input;
    return Array.from({ length: placement.output[axis] }, (_, i) => {
      const start = i * window.strides[axis] - before;
      return Math.min(start + window.size[axis], high) - Math.max(start, low);
    });
  };
  const rows = along(0, height);
  const columns = along(1, width);
  const counts = rows.flatMap((r) => columns.map((c) => r * c));
  return { counts, constant: counts.every((count) => count === window.size[0] * window.size[1]) };
}
