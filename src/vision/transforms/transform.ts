/** @file Random changes that a picture must survive to count: as a list, and as the text a user writes. */
import { UsageError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest.js';
import type { PictureSize } from '../picture-size.js';

/** A number drawn anew for every step, uniformly. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export type Transform =
  /** A grey border of so many pixels. */
  | { readonly kind: 'pad'; readonly pixels: number }
  /** Moved by whole pixels, up to half of `pixels` each way (lucid's random crop, without losing size). */
  | { readonly kind: 'jitter'; readonly pixels: number }
  /** Larger or smaller about the middle. */
  | { readonly kind: 'scale'; readonly factor: Range }
  /** Turned, in degrees. */
  | { readonly kind: 'rotate'; readonly degrees: Range }
  /** A part cut out anywhere, so large a share of each side, brought to full size. */
  | { readonly kind: 'crop'; readonly share: Range }
  /** Gaussian, standard deviation in pixels. */
  | { readonly kind: 'blur'; readonly sigma: Range }
  /** Normal, of that standard deviation, for pictures in [0, 1]. */
  | { readonly kind: 'noise'; readonly deviation: Range }
  /**
   * Each plane with another contrast, by a factor of up to e^strength either way, and lighter or darker by up to so many
   * deviations of photographs (the color shift of Ghiasi et al., "What do Vision Transformers Learn?", arXiv 2212.06727).
   */
  | { readonly kind: 'color'; readonly strength: number };

/** How the numbers after the colon are read: the bounds that each must keep, and what one number alone means. */
const forms: Record<
  Transform['kind'],
  {
    readonly min: number;
    readonly max: number;
    readonly alone: (x: number) => Range;
    readonly make: (range: Range) => Transform;
  }
> = {
  pad: { min: 0, max: 256, alone: same, make: ({ high }) => ({ kind: 'pad', pixels: Math.round(high) }) },
  jitter: {
    min: 0,
    max: 512,
    alone: same,
    make: ({ high }) => ({ kind: 'jitter', pixels: Math.round(high) }),
  },
  scale: { min: 0.05, max: 20, alone: same, make: (factor) => ({ kind: 'scale', factor }) },
  rotate: {
    min: -180,
    max: 180,
    alone: (x) => ({ low: -Math.abs(x), high: Math.abs(x) }),
    make: (degrees) => ({ kind: 'rotate', degrees }),
  },
  crop: {
    min: 0.02,
    max: 1,
    alone: (x) => ({ low: x, high: 1 }),
    make: (share) => ({ kind: 'crop', share }),
  },
  blur: { min: 0, max: 64, alone: same, make: (sigma) => ({ kind: 'blur', sigma }) },
  noise: { min: 0, max: 2, alone: same, make: (deviation) => ({ kind: 'noise', deviation }) },
  color: { min: 0, max: 4, alone: same, make: ({ high }) => ({ kind: 'color', strength: high }) },
};

function same(x: number): Range {
  return { low: x, high: x };
}

/** lucid's `standard_transforms`, for pictures of 128 pixels and more on the shorter side; less for smaller ones. */
export function standardTransforms(size: number | PictureSize): Transform[] {
  const side = typeof size === 'number' ? size : Math.min(size.width, size.height);
  const unit = Math.min(1, side / 128);
  const pixels = (count: number): number => Math.max(1, Math.round(count * unit));
  return [
    { kind: 'pad', pixels: pixels(12) },
    { kind: 'jitter', pixels: pixels(8) },
    { kind: 'scale', factor: { low: 0.9, high: 1.1 } },
    { kind: 'rotate', degrees: { low: -10, high: 10 } },
    { kind: 'jitter', pixels: pixels(4) },
  ];
}

/**
 * `standard`, `none`, or a list like `pad:12,jitter:8,scale:0.9..1.1,rotate:10,blur:0.5,noise:0.02`, in which `standard`
 * may stand for its own list.
 *
 * @param size - of the picture, pixels; one number for both sides
 * @throws UsageError for an unknown transform or a number out of bounds
 */
export function parseTransforms(text: string, size: number | PictureSize): Transform[] {
  if (text.trim() === '' || text.trim() === 'none') return [];
  return text.split(',').flatMap((part) => {
    const [name = '', numbers = ''] = part.trim().split(':');
    if (name === 'standard' && numbers === '') return standardTransforms(size);
    if (!Object.hasOwn(forms, name)) {
      const known = [...Object.keys(forms), 'standard', 'none'];
      throw new UsageError(
        `there is no transform "${name}"${didYouMean(name, known) || `: known are ${known.join(', ')}`}`,
      );
    }
    return [parseOne(name as Transform['kind'], numbers)];
  });
}

function parseOne(name: Transform['kind'], numbers: string): Transform {
  const { min, max, alone, make } = forms[name];
  const found = /^(-?\d*\.?\d+)(?:\.\.(-?\d*\.?\d+))?$/.exec(numbers.trim());
  const [first, second] = found ? [Number(found[1]), found[2] === undefined ? null : Number(found[2])] : [];
  const range = first === undefined ? null : second == null ? alone(first) : { low: first, high: second };
  if (!range || range.low > range.high || range.low < min || range.high > max) {
    throw new UsageError(
      `the transform "${name}" wants a number or a range like ${name}:${min < 0 ? '-10..10' : `${Math.max(min, 0.5)}..1`}, from ${min} to ${max}, not "${numbers}"`,
    );
  }
  return make(range);
}

/** The text of a list; `parseTransforms` gives the list back. */
export function formatTransforms(transforms: readonly Transform[]): string {
  return transforms.length === 0 ? 'none' : transforms.map(formatOne).join(',');
}

function formatOne(transform: Transform): string {
  const { kind, ...numbers } = transform;
  // Each kind has one number or one range.
  const [value] = Object.values(numbers) as [number | Range];
  return `${kind}:${typeof value === 'number' ? value : `${value.low}..${value.high}`}`;
}
