/** @file What stands in a queue. All of it may come from others, and is checked where it is read. */
import { z } from 'zod';
import { entryId } from '../sweep-file.js';

const short = z.string().max(1000);

/** A job of a sweep. */
export const queuedJob = z.object({
  /** The key of its sweep, and the name of the sweep's folder. */
  sweep: entryId,
  folder: entryId,
  id: entryId,
  /** Read by `readJob`, and checked by `checkAllowed`. */
  job: z.object({ task: z.string() }).catchall(z.json()),
});
export type QueuedJob = z.output<typeof queuedJob>;

/** How far a job is. */
export const jobProgress = z.object({
  /** 0 to 1; null when the end is not known. */
  share: z.number().min(0).max(1).nullable(),
  note: short,
  /** The strongest text so far. */
  best: short.nullable(),
  /** Who works on it. */
  worker: short,
});
export type JobProgress = z.output<typeof jobProgress>;

/** What a job came to. */
export const jobOutcome = z.object({
  state: z.enum(['done', 'cancelled']),
  /** Where its files are: in the sweep's folder, in the queue, or still on the worker. */
  kept: z.enum(['shared', 'queue', 'worker']),
  /** The worker, and its folder. */
  place: short,
});
export type JobOutcome = z.output<typeof jobOutcome>;

/** The name of a job in BullMQ. */
export const queueId = ({ sweep, id }: Pick<QueuedJob, 'sweep' | 'id'>): string => `${sweep}_${id}`;
