/** @file What this model says of the texts that are published of a unit. */
import type { PublishedUnit, ScoredExemplar } from '../../core/published-unit.js';
import type { PublishedExemplar, PublishedFeature } from '../../hub/neuronpedia-feature.js';
import type { TextSubject } from '../lm/subject.js';
import { hasRaw, rawReader } from './details.js';
import { soleReadout, type TextObjective } from './objective.js';

/** What is published by name of an objective; null where nothing is. */
export async function publishedOf(
  subject: TextSubject,
  objective: TextObjective,
  features: ReadonlyMap<string, PublishedFeature> | undefined,
): Promise<PublishedUnit | null> {
  const readout = soleReadout(objective);
  const feature = readout && features?.get(readout.name);
  if (!feature || !hasRaw(readout)) return null;
  const exemplars: ScoredExemplar[] = [];
  const reader = rawReader(subject, [readout]);
  try {
    for (const exemplar of feature.exemplars) {
      const text = textOf(subject, exemplar);
      const ids = Int32Array.from(subject.tokenizer.encode(text).slice(0, subject.spec.context));
      if (ids.length < 2) continue;
      const { units } = await reader.read(ids);
      const raw = Math.max(...units[0]!.subarray(1));
      exemplars.push({ text, published: Math.max(...exemplar.values), raw });
    }
  } finally {
    await reader.dispose();
  }
  return { name: feature.name, maximum: feature.maximum, exemplars };
}

/** The tokens up to the context's length, those before the peak first; BOS, which is put before every text, left out. */
function textOf({ tokenizer, spec, start }: TextSubject, { tokens, values }: PublishedExemplar): string {
  const peak = values.indexOf(Math.max(...values));
  const bos = tokens[0] === tokenizer.tokenString(start) ? 1 : 0;
  const from = Math.max(bos, peak + 2 - spec.context);
  return tokens
    .slice(from, from + spec.context - 1)
    .join('')
    .replaceAll('▁', ' ');
}
