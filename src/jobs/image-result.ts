/** @file What a render results in, with its pictures and as JSON. */
import type { RenderResult, UnitResult } from '../vision/render/render-options.js';

/** The strongest pictures of a folder for each unit. */
export interface ExamplesDocument {
  /** The sheet: synthetic pictures, photographs, crops; null without a run folder. */
  readonly image: string | null;
  /** Pictures that were shown to the network. */
  readonly pictures: number;
  readonly units: readonly {
    readonly unit: string;
    readonly examples: readonly { readonly file: string; readonly mean: number; readonly peak: number }[];
  }[];
}

/** What a render results in. */
export interface ImageResult {
  readonly unit: string;
  /** Path of the picture: a contact sheet where there are several units; null where none was written. */
  readonly image: string | null;
  /** A picture a unit, relative to the run folder; null for one unit, and where there is no folder. */
  readonly pictures: readonly string[] | null;
  readonly animation: string | null;
  readonly examples: ExamplesDocument | null;
  /** Of the unit; the mean of several. */
  readonly activation: UnitResult['activation'];
  /** Each unit for itself, with its picture. */
  readonly units: readonly UnitResult[];
  /** Units that hardly moved, or sank. */
  readonly stalled: readonly string[];
  readonly cost: RenderResult['cost'];
}

/** What `superstim image --json` prints: a result without its pixels. */
export type ImageDocument = Omit<ImageResult, 'units'> & {
  readonly units: readonly Omit<UnitResult, 'picture'>[];
};

export const withoutPixels = <Result extends ImageResult>(
  result: Result,
): Omit<Result, 'units'> & Pick<ImageDocument, 'units'> => ({
  ...result,
  units: result.units.map(({ picture: _, ...unit }) => unit),
});
