/** @file What is remembered of errors, as data: by figure and kind of child. */
import { z } from 'zod';

/** Moments of the error of rough scores: rough less exact. */
const moments = z.strictObject({ count: z.number(), mean: z.number(), square: z.number() });
export type Moments = z.output<typeof moments>;

export const savedErrors = z.record(z.string(), moments);
export type SavedErrors = z.output<typeof savedErrors>;
