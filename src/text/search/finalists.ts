/** @file The end of a search: a handful of texts from all over the frontier, each with its evidence. */

import type { Explanation } from '../../core/explanation.js';
import { isFluent } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { untilStopped } from '../../core/until-stopped.js';
import type { EventBody } from '../../runs/events.js';
import type { TextSubject } from '../lm/subject.js';
import { Explainer } from '../readouts/explain.js';
import type { Probe } from '../readouts/probe.js';

/** A text as weak as this share of the strongest says little of the unit. */
const LEAST_SHARE = 0.4;

/**
 * At most `count` texts that differ: in where they stand on the frontier and in their tokens, the strongest one
 * first. Fluent ones (below 6 nats) where there are any.
 */
export function chooseFinalists(frontier: readonly ScoredText[], count: number): ScoredText[] {
  const fluent = frontier.filter(isFluent);
  const candidates = fluent.length > 0 ? fluent : frontier;
  const strongest = Math.max(...candidates.map(({ z }) => z));
  const pool = candidates
    .filter(({ z }) => z >= LEAST_SHARE * strongest)
    .sort((a, b) => a.cross_entropy - b.cross_entropy)
    .map((candidate, place) => ({ candidate, place, tokens: new Set(candidate.token_ids) }));
  type Entry = (typeof pool)[number];
  const far = (a: Entry, b: Entry) =>
    Math.abs(a.place - b.place) / pool.length + 1 - sharedPart(a.tokens, b.tokens);

  let rest = pool;
  let next = pool.find(({ candidate }) => candidate.z === strongest);
  const chosen: Entry[] = [];
  while (next && chosen.length < count) {
    const entry: Entry = next;
    chosen.push(entry);
    rest = rest.filter((other) => other !== entry);
    const nearest = new Map(rest.map((one) => [one, Math.min(...chosen.map((other) => far(one, other)))]));
    next = rest.reduce<Entry | undefined>(
      (a, b) => (a && nearest.get(a)! >= nearest.get(b)! ? a : b),
      undefined,
    );
  }
  return chosen.map(({ candidate }) => candidate);
}

/** Size of what two sets share, of all that is in them (Jaccard). */
function sharedPart(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const shared = [...a].filter((id) => b.has(id)).length;
  return shared / (a.size + b.size - shared);
}

/** Explains texts one by one, as far as the signal lets it. */
export async function* explainFinalists(
  subject: TextSubject,
  probe: Probe,
  finalists: readonly ScoredText[],
  signal: AbortSignal | undefined,
): AsyncGenerator<EventBody, Explanation[], void> {
  const explanations: Explanation[] = [];
  for await (const explanation of untilStopped(explain(subject, probe, finalists, signal), signal)) {
    explanations.push(explanation);
    yield { kind: 'explained', explanation };
  }
  return explanations;
}

async function* explain(
  subject: TextSubject,
  probe: Probe,
  finalists: readonly ScoredText[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Explanation, void, void> {
  if (finalists.length === 0 || signal?.aborted) return;
  const explainer = await Explainer.create(subject, probe);
  try {
    for (const { token_ids } of finalists) {
      if (signal?.aborted) break;
      yield await explainer.explainTokens(Int32Array.from(subject.tokenizer.behindStart(token_ids)), {
        ablate: true,
      });
    }
  } finally {
    await explainer.dispose();
  }
}
