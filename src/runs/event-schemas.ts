/**
 * @file What an event of each kind must have to be read: logs come from anywhere. Unknown fields are left out, unknown
 * kinds are kept whole (`decodeEvent`). A figure that was not finite is null in the log, and NaN again here.
 */
import { z } from 'zod';
import type { Explanation } from '../core/explanation.js';
import type { ScoredText } from '../core/scored-text.js';
import type { JsonValue, RunEvent } from './events.js';

/** Levels of nesting that every reader of JSON can walk through. */
const MOST_LEVELS = 200;
/** Characters of a message, a name, a token. */
const LONGEST_WORDS = 100_000;

const figure = z.number().catch(Number.NaN);
const words = z.string().max(LONGEST_WORDS);
const at = z.number();
// Versions before sources wrote none.
const source = z.enum(['preparation', 'search', 'prior_best', 'corpus_best', 'unstated']).default('unstated');

export const scoredText: z.ZodType<ScoredText> = z.object({
  text: z.string(),
  token_ids: z.array(z.number()),
  cross_entropy: z.number(),
  raw: figure,
  z: z.number(),
  margin: z.number().nullable().catch(null),
  rank: z.number().nullable().catch(null),
  held_out: z.object({ margin: z.number(), rank: z.number() }).exactOptional(),
});

const tokenValue = z.object({ token: words, value: figure });
const perPosition = z.array(z.number().nullable());
export const explanation: z.ZodType<Explanation> = z
  .object({
    unit: words,
    text: z.string(),
    tokens: z.array(words).min(1),
    token_ids: z.array(z.number()),
    logprobs: perPosition,
    raw: z.array(figure),
    z: perPosition,
    peak: z.object({ position: z.int().min(0), raw: figure, z: figure }),
    score: z.number(),
    cross_entropy: z.number(),
    margin: z.number().nullable().catch(null),
    rank: z.number().nullable().catch(null),
    rivals: z.array(z.object({ unit: words, z: figure })),
    attention: z
      .object({ weight: z.array(figure), contribution: z.array(figure) })
      .nullable()
      .catch(null),
    logits: z
      .object({ top: z.array(tokenValue), bottom: z.array(tokenValue) })
      .nullable()
      .catch(null),
    substitutions: z.array(z.array(tokenValue)),
    ablation: z.array(figure).nullable().catch(null),
  })
  .refine(({ tokens, peak }) => peak.position < tokens.length);

/** Any JSON that is not nested too deep to be written again. */
const json = z.custom<JsonValue>((value) => value !== undefined && isShallow(value));

/** A schema a kind. */
export const eventSchemas: {
  readonly [Kind in RunEvent['kind']]: z.ZodType<Extract<RunEvent, { kind: Kind }>>;
} = {
  started: z.object({
    kind: z.literal('started'),
    at,
    task: words,
    unit: words.nullable().catch(null),
    method: words.nullable().catch(null),
  }),
  calibrated: z.object({
    kind: z.literal('calibrated'),
    at,
    unit: words,
    mean: figure,
    standard_deviation: figure,
    // Logs of older versions have no errors.
    mean_error: z.number().nullable().catch(null),
    standard_deviation_error: z.number().nullable().catch(null),
    tokens: figure,
    source: z.enum(['model', 'prior', 'corpus']),
    cached: z.boolean(),
  }),
  progress: z.object({
    kind: z.literal('progress'),
    at,
    source,
    budget: words,
    done: figure,
    total: z.number().nullable().catch(null),
    rate: z.number().nullable().catch(null),
    rate_unit: words,
    seconds_left: z.number().nullable().catch(null),
    note: words.exactOptional(),
  }),
  candidate: z.object({
    kind: z.literal('candidate'),
    at,
    source,
    candidate: scoredText,
    operator: words,
  }),
  explained: z.object({ kind: z.literal('explained'), at, explanation }),
  baseline: z.object({
    kind: z.literal('baseline'),
    at,
    name: words,
    candidate: scoredText.nullable().catch(null),
  }),
  frame: z.object({
    kind: z.literal('frame'),
    at,
    file: words,
    step: z.number(),
    activation: figure,
  }),
  step: z.object({
    kind: z.literal('step'),
    at,
    source,
    step: z.number(),
    metrics: z.record(words, figure),
    samples: z.array(scoredText).exactOptional(),
  }),
  warning: z.object({ kind: z.literal('warning'), at, message: words }),
  finished: z.object({
    kind: z.literal('finished'),
    at,
    reason: z.enum(['done', 'interrupted']),
    result: json,
  }),
  failed: z.object({ kind: z.literal('failed'), at, message: words }),
};

/** Whether a value has few levels; without recursion, which deep ones would overflow. */
function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return false;
    const next: unknown[] = [];
    for (const holder of level)
      if (typeof holder === 'object' && holder !== null)
        for (const inner of Object.values(holder))
          if (typeof inner === 'object' && inner !== null) next.push(inner);
    level = next;
  }
  return true;
}
