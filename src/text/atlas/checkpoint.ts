/** @file Where an atlas stands, as data: the texts that any unit keeps. Scored again they are all that was found. */
import { z } from 'zod';

const count = z.int().min(0);

/** `checkpoint.json` of an atlas. */
export const atlasCheckpoint = z.strictObject({
  version: z.literal(1),
  evaluations: count,
  seconds: z.number().min(0),
  /** Where the reading of the corpus resumes; null before it has begun, or without one. */
  corpus: z.strictObject({ file: count, stretch: count }).nullable(),
  /** By what made them: token ids, the start token in front. */
  texts: z.record(z.string(), z.array(z.array(count).min(2))),
});
export type AtlasCheckpoint = z.output<typeof atlasCheckpoint>;
